import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { EKSClient } from '@aws-sdk/client-eks';
import { afterEach, describe, expect, test } from 'vitest';
import {
  clusterEndpointOf,
  describedEndpoint,
  unreachableBecause,
  unreachableCluster,
} from '../../../../src/operations/terraform/cluster-endpoint.ts';
import { ROOT_FILE } from '../../../support/tls-server.ts';

const FIXTURES = join(import.meta.dirname, '../../../fixtures/tls');
const fixture = (name: string) => readFileSync(join(FIXTURES, name), 'utf8');
const AUTHORITY = readFileSync(ROOT_FILE, 'utf8');

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function listen(server: ReturnType<typeof createServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** An API server that lets nobody in. */
function startApi(): Promise<number> {
  const tls = {
    key: fixture('server-key.pem'),
    cert: fixture('server.pem') + fixture('intermediate.pem'),
  };
  return listen(
    createTlsServer(tls, (_, response) => {
      response.writeHead(401).end();
    }),
  );
}

const endpoint = (url: string, certificateAuthority = '') => ({
  name: 'etl',
  url,
  certificateAuthority,
});

describe('the API of a cluster', () => {
  test('is reachable when it answers, be it "unauthorized"', async () => {
    const port = await startApi();
    expect(await unreachableBecause(endpoint(`https://localhost:${port}`, AUTHORITY), {})).toBe(
      undefined,
    );
  });

  test("is not, when what answers has another certificate than the cluster's", async () => {
    const port = await startApi();
    expect(await unreachableBecause(endpoint(`https://localhost:${port}`), {})).toMatch(
      /certificate/,
    );
  });

  test('is not, when nothing listens', async () => {
    const port = await startApi();
    for (const close of closers.splice(0)) close();
    expect(await unreachableBecause(endpoint(`https://127.0.0.1:${port}`), {})).toContain(
      'ECONNREFUSED',
    );
  });

  test('is not, when it accepts and says nothing', async () => {
    const port = await listen(createServer(() => undefined));
    expect(await unreachableBecause(endpoint(`http://127.0.0.1:${port}`), {}, 50)).toBe(
      'no answer within 0.05 s',
    );
  });

  test("is asked through the environment's proxy", async () => {
    let asked = '';
    const proxy = createServer();
    proxy.on('connect', (request, socket) => {
      asked = String(request.url);
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    const port = await listen(proxy);
    const reason = await unreachableBecause(endpoint('https://etl.example.gov'), {
      HTTPS_PROXY: `http://127.0.0.1:${port}`,
    });
    expect(asked).toBe('etl.example.gov:443');
    expect(reason).toMatch(/proxy|403/i);
  });
});

describe('the endpoint in a state', () => {
  const stateWith = (attributes: Readonly<Record<string, unknown>>) => ({
    resources: [
      {
        mode: 'managed' as const,
        type: 'aws_eks_cluster',
        name: 'this',
        instances: [{ attributes }],
      },
    ],
  });

  test('comes with the authority of its certificate', () => {
    const data = Buffer.from(AUTHORITY).toString('base64');
    const state = stateWith({
      name: 'etl',
      endpoint: 'https://etl.example.gov',
      certificate_authority: [{ data }],
    });
    expect(clusterEndpointOf(state)).toEqual(endpoint('https://etl.example.gov', AUTHORITY));
  });

  test.each([[{}], [stateWith({ name: 'etl' })], [stateWith({ name: 'etl', endpoint: '' })]])(
    'is absent without a cluster that has one',
    (state) => {
      expect(clusterEndpointOf(state)).toBeUndefined();
    },
  );
});

test('the refusal names cluster, address, reason and the settings that help', () => {
  const etl = endpoint('https://etl.example.gov');
  const { reason, next } = unreachableCluster(etl, 'ENOTFOUND', true);
  expect(reason).toContain('cluster etl');
  expect(reason).toContain('https://etl.example.gov: ENOTFOUND');
  expect(next).toContain('cluster_endpoint_private_access_cidrs');
  expect(next).toContain('cluster_endpoint_public_access_cidrs');
});

test('the refusal names no setting where the cluster belongs to others', () => {
  const { next } = unreachableCluster(endpoint('https://etl.example.gov'), 'ENOTFOUND', false);
  expect(next).toContain("from an address that the cluster's owner lets in.");
  expect(next).not.toContain('cluster_endpoint_');
});

test('the endpoint of a cluster of others is that of the lookup in the state', () => {
  const attributes = {
    name: 'shared',
    endpoint: 'https://api.example',
    certificate_authority: [{ data: Buffer.from('PEM').toString('base64') }],
  };
  const looked = {
    mode: 'data',
    type: 'aws_eks_cluster',
    name: 'existing',
    instances: [{ attributes }],
  } as const;
  expect(clusterEndpointOf({ resources: [looked] })).toEqual({
    name: 'shared',
    url: 'https://api.example',
    certificateAuthority: 'PEM',
  });
});

describe('the endpoint of a cluster of others', () => {
  const eks = (answer: () => Promise<unknown>) => ({ send: answer }) as unknown as EKSClient;

  test('is what EKS describes', async () => {
    const certificateAuthority = { data: Buffer.from('PEM').toString('base64') };
    const cluster = { name: 'shared', endpoint: 'https://api.example', certificateAuthority };
    await expect(
      describedEndpoint(
        eks(async () => ({ cluster })),
        'shared',
      ),
    ).resolves.toEqual({
      name: 'shared',
      url: 'https://api.example',
      certificateAuthority: 'PEM',
    });
  });

  test('that does not exist names the settings that may be wrong', async () => {
    const missing = Object.assign(new Error('no'), { name: 'ResourceNotFoundException' });
    await expect(
      describedEndpoint(
        eks(() => Promise.reject(missing)),
        'shared',
      ),
    ).rejects.toMatchObject({
      message: 'there is no cluster shared in this account and region',
      next: expect.stringContaining('cluster_name'),
    });
  });

  test('that may not be described is the error of AWS', async () => {
    const denied = Object.assign(new Error('no'), { name: 'AccessDeniedException' });
    await expect(
      describedEndpoint(
        eks(() => Promise.reject(denied)),
        'shared',
      ),
    ).rejects.toBe(denied);
  });
});
