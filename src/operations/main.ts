#!/usr/bin/env node
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline/promises';
import { setTimeout } from 'node:timers/promises';
import { awsClients } from './aws-clients.ts';
import { runOperation } from './cli.ts';
import { processRunner } from './runner.ts';

async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question(`${question} Only "yes" goes on: `)).trim() === 'yes';
  } finally {
    terminal.close();
  }
}

process.exitCode = await runOperation(process.argv.slice(2), {
  root: join(import.meta.dirname, '../..'),
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  run: processRunner(process.env, process),
  aws: awsClients,
  clock: { now: () => new Date(), sleep: (milliseconds) => setTimeout(milliseconds) },
  confirm,
});
