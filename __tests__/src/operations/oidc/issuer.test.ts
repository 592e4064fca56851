import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { servedChain } from '../../../../src/operations/oidc/issuer.ts';
import { INTERMEDIATE_SHA1, ROOT_FILE, startTlsServer } from '../../../support/tls-server.ts';

const authorities = readFileSync(ROOT_FILE, 'utf8');

describe('the chain that a server presents', () => {
  it('ends with the certificate below the root', async () => {
    const { port } = await startTlsServer();
    const chain = await servedChain(new URL(`https://localhost:${port}/id/A`), authorities);
    expect(chain.map(({ subject }) => subject)).toEqual(['localhost', 'Test intermediate']);
    expect(chain.at(-1)?.sha1).toBe(INTERMEDIATE_SHA1);
  });

  it('is not read from a server that nobody vouches for', async () => {
    const { port } = await startTlsServer();
    await expect(servedChain(new URL(`https://localhost:${port}`))).rejects.toThrow(
      `localhost:${port}: unable to get local issuer certificate`,
    );
  });

  it('is not read from a server of another name', async () => {
    const { port } = await startTlsServer();
    await expect(servedChain(new URL(`https://127.0.0.2:${port}`), authorities)).rejects.toThrow(
      /127\.0\.0\.2/,
    );
  });

  it('says where nobody listens', async () => {
    await expect(servedChain(new URL('https://localhost:1'))).rejects.toThrow('localhost:1: ');
  });
});
