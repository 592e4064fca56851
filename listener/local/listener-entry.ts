import { runCli } from '../src/cli.ts';
// Loaded before there is an environment to serve with: PostgreSQL starts in the meantime.
import '../src/cli/serve.ts';

/**
 * The listener as a process of the local flow: `file-processing serve`, with an environment that
 * comes by message, and an end when the local flow was killed.
 */
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.once('message', (environment: Readonly<Record<string, string>>) => {
  // The AWS SDK reads its part from here.
  Object.assign(process.env, environment);
  void serveUntilStopped();
});

async function serveUntilStopped(): Promise<never> {
  const code = await runCli(['serve'], {
    environment: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
  });
  process.exit(code);
}
