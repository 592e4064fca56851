#!/usr/bin/env node
import process from 'node:process';

/** EX_SOFTWARE of sysexits.h; Node's own 1 would read as a verdict. */
const UNEXPECTED = 70;

function crash(error: unknown): never {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`unexpected error: ${text}\n`);
  process.exit(UNEXPECTED);
}
process.on('uncaughtException', crash);
process.on('unhandledRejection', crash);
for (const stream of [process.stdout, process.stderr]) {
  // The reader has seen enough, as `head` does.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    crash(error);
  });
}

async function run(): Promise<void> {
  // Loaded only now, so that even a fault in a module ends with the code above.
  const { loadDotEnv } = await import('./config/read-variables.ts');
  const { runCli } = await import('./cli.ts');
  loadDotEnv(process.cwd());
  const code = await runCli(process.argv.slice(2), {
    environment: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
  });
  // Not when the event loop is empty: a connection that some library keeps must not keep the process.
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
}

// The bundle is a script, which can't await anything here.
run().catch(crash);
