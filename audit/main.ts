#!/usr/bin/env node
import { join } from 'node:path';
import process from 'node:process';
import { timeOfRun } from '../src/settings/environment.ts';
import { runAudit } from './cli.ts';

process.exitCode = await runAudit(process.argv.slice(2), {
  root: join(import.meta.dirname, '..'),
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  now: () => timeOfRun(process.env),
});
