import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { connect } from '../../../../listener/src/database/connection.ts';
import { databaseConfigOf } from '../../support/database-config.ts';

beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'marker-secret');
});
afterEach(() => vi.unstubAllEnvs());

/** A server that asks for a password in the clear, keeps it, and refuses. */
async function passwordCollector() {
  const passwords: string[] = [];
  const server = createServer((socket) => {
    socket.once('data', () => {
      const askForPassword = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]);
      socket.write(askForPassword);
      socket.once('data', (message) => {
        passwords.push(message.subarray(5, -1).toString());
        socket.destroy();
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
  const address = server.address();
  return { passwords, port: typeof address === 'object' && address ? address.port : 0 };
}

test('each connection signs in with a token for its user at its host', async () => {
  const { passwords, port } = await passwordCollector();
  const database = connect({
    ...databaseConfigOf(`postgresql://etl_user@127.0.0.1:${port}`, 'etl_db'),
    password: undefined,
    iamRegion: 'us-gov-west-1',
  });
  onTestFinished(() => database.destroy());
  await expect(database.raw('SELECT 1')).rejects.toThrow();
  await expect(database.raw('SELECT 1')).rejects.toThrow();

  expect(passwords).toHaveLength(2);
  const [address = '', query = ''] = (passwords[0] ?? '').split('/?');
  expect(address).toBe(`127.0.0.1:${port}`);
  expect(Object.fromEntries(new URLSearchParams(query))).toMatchObject({
    Action: 'connect',
    DBUser: 'etl_user',
    'X-Amz-Credential': expect.stringMatching(/^AKIDEXAMPLE\/\d{8}\/us-gov-west-1\/rds-db\//),
    'X-Amz-Signature': expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect(query).not.toContain('marker-secret');
});
