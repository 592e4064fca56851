import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { pythonEnvironment } from '../../support/python-environment.ts';

const REQUIREMENTS = join(import.meta.dirname, '../../../test-support/oracles/requirements.txt');
const PROGRAM = join(import.meta.dirname, 'oracles.py');

/** Asks oracles.py one question. @throws with what it writes when it fails */
export async function ask<T>(name: 'cells' | 'tables' | 'values', question: unknown): Promise<T> {
  const child = spawn(await pythonEnvironment(REQUIREMENTS), [PROGRAM]);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const ended = new Promise((resolve) => child.on('close', resolve));
  child.stdin.end(JSON.stringify({ [name]: question }));
  if ((await ended) !== 0) throw new Error(Buffer.concat(err).toString());
  return JSON.parse(Buffer.concat(out).toString())[name];
}
