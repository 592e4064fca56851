import { EXIT, OWN_REQUEST_SECONDS, PATHS } from '@file-processing/contract/listener-interface.ts';
import { type Command, configWithoutDatabase } from './command-context.ts';

/** More than the listener takes to ask its own port. */
const TIMEOUT_MS = (OWN_REQUEST_SECONDS + 0.5) * 1000;

/** Asks the listener of this machine whether it works: for images, which need no curl then. */
export const healthcheck: Command<Record<string, never>> = async (context) => {
  const { metricsPort } = configWithoutDatabase(context);
  const url = `http://127.0.0.1:${metricsPort}${PATHS.liveness}`;
  const status = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) }).then(
    (response) => response.status,
    () => undefined,
  );
  if (status === 200) return EXIT.ok;
  context.stderr.write(`${url}: ${status ?? 'no answer'}\n`);
  return EXIT.unavailable;
};
