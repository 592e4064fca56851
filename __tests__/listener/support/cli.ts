import { runCli } from '../../../listener/src/cli.ts';

/** Runs a command in this process. */
export async function cli(parameters: readonly string[], environment: Record<string, string> = {}) {
  const written = { out: '', err: '' };
  const code = await runCli(parameters, {
    environment,
    stdout: { write: (text) => (written.out += text) },
    stderr: { write: (text) => (written.err += text) },
  });
  return { code, ...written };
}

/** An event in the shortest form that S3's has. */
export function eventOf(bucket: string, ...keys: readonly string[]): string {
  return JSON.stringify({
    Records: keys.map((key) => ({ s3: { bucket: { name: bucket }, object: { key } } })),
  });
}
