#!/usr/bin/env node
require('@file-processing/contract/require-node.cjs');
const { dirname } = require('node:path');
const { freshBundle, runBundle } = require('./bundle.cjs');

const bundle = process.argv[2] === 'validate' ? freshBundle(dirname(__dirname)) : undefined;

if (bundle === undefined) import('../src/main.ts');
else runBundle(bundle);
