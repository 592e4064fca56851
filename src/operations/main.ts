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
  } catch (error) {
    // Ctrl-C at the question.
    if (error instanceof Error && error.name === 'AbortError') return false;
    throw error;
  } finally {
    terminal.close();
  }
}

// While a program runs, the signal is its own (see processRunner). Otherwise end by exit, not by the
// signal: what must not outlive this process is removed at its exit.
for (const [signal, code] of [
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    if (process.listenerCount(signal) === 1) process.exit(code);
  });
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
