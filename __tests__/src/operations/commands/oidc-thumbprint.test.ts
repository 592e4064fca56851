import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { manage, temporaryRoot } from '../../../support/manage.ts';
import { INTERMEDIATE_SHA1, ROOT_FILE, startTlsServer } from '../../../support/tls-server.ts';

const TFVARS = 'environments/etl-playground/file_processing.tfvars';

async function thumbprint(...parameters: readonly string[]) {
  const { port } = await startTlsServer();
  const root = temporaryRoot();
  const read = () => readFileSync(join(root, TFVARS), 'utf8');
  const before = read();
  const issuer = ['--issuer', `https://localhost:${port}/id/A`, '--ca-file', ROOT_FILE];
  const run = () => manage(['oidc-thumbprint', ...issuer, ...parameters], { root });
  return { ...(await run()), before, read, again: run };
}

describe('manage oidc-thumbprint', () => {
  it('prints the thumbprint and changes nothing', async () => {
    const { code, out, before, read } = await thumbprint();
    expect(out).toContain(`thumbprint  ${INTERMEDIATE_SHA1}  (Test intermediate, the last of 2`);
    expect([code, read()]).toEqual([0, before]);
  });

  it('--write sets it in the tfvars', async () => {
    const { out, read } = await thumbprint('--write');
    expect(out).toContain(`set         oidc_thumbprint in ${TFVARS}`);
    expect(read()).toContain(`oidc_thumbprint = "${INTERMEDIATE_SHA1}"`);
  });

  it('--write changes nothing the second time', async () => {
    const { read, again } = await thumbprint('--write');
    const written = read();
    expect((await again()).out).toContain(`unchanged   ${TFVARS} has it already`);
    expect(read()).toBe(written);
  });

  it('--write --dry-run only says what it would set', async () => {
    const { out, before, read } = await thumbprint('--write', '--dry-run');
    expect(out).toContain(`would set   oidc_thumbprint in ${TFVARS}`);
    expect(read()).toBe(before);
  });

  it('--json prints one document', async () => {
    const { out } = await thumbprint('--json');
    expect(JSON.parse(out)).toMatchObject({ thumbprint: INTERMEDIATE_SHA1, written: false });
  });

  it.each([
    [['--issuer', 'http://localhost'], 64, '--issuer http://localhost is not an https URL'],
    [['--ca-file', 'absent.pem', '--issuer', 'https://localhost'], 64, '--ca-file absent.pem'],
    [['--issuer', 'https://localhost:1'], 69, 'localhost:1: '],
    [['--region', 'moon'], 64, '--region moon is not a region'],
    [['--environment', 'moon'], 64, 'environments/moon: is not an environment'],
  ])('refuses %s', async (parameters, code, message) => {
    const result = await manage(['oidc-thumbprint', ...parameters]);
    expect(result).toMatchObject({ code, err: expect.stringContaining(message) });
  });
});
