import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../support/free-port.ts';

/** A registry of images on loopback. */
export interface Registry {
  /** Host and port. */
  readonly address: string;
  /** Ends it. */
  readonly close: () => Promise<void>;
}

/**
 * Starts Debian's docker-registry, which keeps its images in a folder.
 *
 * @throws Error with what it wrote when it does not answer
 */
export async function startRegistry(folder: string): Promise<Registry> {
  mkdirSync(folder, { recursive: true });
  const address = `127.0.0.1:${await freePort()}`;
  const configuration = join(folder, 'config.yml');
  writeFileSync(
    configuration,
    `version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: ${JSON.stringify(join(folder, 'data'))} } }
http: { addr: "${address}" }
`,
  );
  const child = spawn('docker-registry', ['serve', configuration], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  // Whoever awaits it later sees the failure.
  exited.catch(() => undefined);
  let written = '';
  child.stderr.on('data', (text) => {
    written += text;
  });
  const close = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await exited;
  };
  for (let tries = 0; tries < 300 && child.exitCode === null; tries += 1) {
    const answers = await fetch(`http://${address}/v2/`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (answers) return { address, close };
    await delay(100);
  }
  await close();
  throw new Error(`docker-registry did not start:\n${written}`);
}
