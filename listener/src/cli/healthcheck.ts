import { EXIT, PATHS } from '@file-processing/contract/listener-interface.ts';
import { type Command, configWithoutDatabase } from './command-context.ts';

const TIMEOUT_MS = 3_000;

/** Asks the listener of this machine whether it runs: for images, which need no curl then. */
export const healthcheck: Command<Record<string, never>> = async (context) => {
  const { port } = configWithoutDatabase(context);
  const url = `http://127.0.0.1:${port}${PATHS.liveness}`;
  const status = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) }).then(
    (response) => response.status,
    () => undefined,
  );
  if (status === 200) return EXIT.ok;
  context.stderr.write(`${url}: ${status ?? 'no answer'}\n`);
  return EXIT.unavailable;
};
