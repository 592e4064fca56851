#!/usr/bin/env node
require('@file-processing/contract/require-node.cjs');

import('../src/main.ts');
