#!/usr/bin/env node
require('@file-processing/contract/require-node.cjs');
const { dirname } = require('node:path');
const { pathToFileURL } = require('node:url');
const { freshBundle } = require('./bundle.cjs');

const bundle = process.argv[2] === 'validate' ? freshBundle(dirname(__dirname)) : undefined;

import(bundle === undefined ? '../src/main.ts' : pathToFileURL(bundle).href);
