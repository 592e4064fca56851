#!/usr/bin/env node
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline/promises';
import { setTimeout } from 'node:timers/promises';
import { awsClients } from './aws-clients.ts';
import { runOperation } from './cli.ts';
import { type EndSignal, SIGNAL_EXIT_CODES } from './operation.ts';
import { EXIT, OperationError } from './operation-error.ts';
import { processRunner } from './runner.ts';

async function ask(question: string): Promise<string | undefined> {
  if (!process.stdin.isTTY) return undefined;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-D closes it without an answer.
  const closed = new AbortController();
  terminal.once('close', () => closed.abort());
  try {
    return await terminal.question(question, { signal: closed.signal });
  } catch (error) {
    // Ctrl-C at the question, too.
    if (!(error instanceof Error) || error.name !== 'AbortError') throw error;
    throw new OperationError('declined; nothing was changed', { code: EXIT.refused });
  } finally {
    terminal.close();
  }
}

async function confirm(question: string): Promise<boolean> {
  try {
    return (await ask(`${question} Only "yes" goes on: `))?.trim() === 'yes';
  } catch (error) {
    if (error instanceof OperationError) return false;
    throw error;
  }
}

// While a program runs, the signal is its own (see processRunner). Otherwise end by exit, not by the
// signal: what must not outlive this process is removed at its exit.
const SIGNALS = Object.keys(SIGNAL_EXIT_CODES) as EndSignal[];
for (const signal of SIGNALS) {
  process.on(signal, () => {
    if (process.listenerCount(signal) === 1) process.exit(SIGNAL_EXIT_CODES[signal]);
  });
}

function onSignal(take: (signal: EndSignal) => void): () => void {
  const taken = SIGNALS.map((signal) => ({ signal, listener: () => take(signal) }));
  for (const { signal, listener } of taken) process.on(signal, listener);
  return () => {
    for (const { signal, listener } of taken) process.off(signal, listener);
  };
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
  ask,
  onSignal,
});
