import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { listenerCommand } from '../src/operations/localstack/advice.ts';
import { ROOT } from './support/run-main.ts';
import { run } from './support/run-program.ts';

interface Service {
  readonly image: string;
  readonly ports: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly extra_hosts?: readonly string[];
}

const text = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');
const services: Readonly<Record<'localstack' | 'postgres', Service>> = parse(text).services;

test('the linter finds no fault against the Compose Specification', async () => {
  const linter = join(ROOT, 'node_modules/.bin/dclint');
  const result = await run(linter, ['--max-warnings', '0', 'docker-compose.yml'], {
    directory: ROOT,
  });
  expect(result.stdout.trim()).toBe('');
  expect(result.exitCode).toBe(0);
});

test.each(Object.entries(services))(
  '%s has a pinned image and listens on loopback only',
  (_, service) => {
    expect(service.image).toMatch(/:\d+(\.\d+)+$/);
    for (const port of service.ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  },
);

test('LocalStack has the version that the tests run', () => {
  const requirements = readFileSync(join(ROOT, 'test-support/localstack/requirements.txt'), 'utf8');
  const version = services.localstack.image.split(':')[1];
  expect(requirements).toMatch(new RegExp(`^localstack-core(\\[.*\\])?==${version}`, 'm'));
});

test('LocalStack reaches the host on Linux too, and names its certificates as the listener trusts them', () => {
  const { extra_hosts, environment } = services.localstack;
  expect(extra_hosts).toEqual(['host.docker.internal:host-gateway']);
  expect(environment.LOCALSTACK_HOST).toBe('localhost:4566');
});

test('the database is the one that setup-localstack names', () => {
  const { POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB } = services.postgres.environment;
  const url = `postgresql://${POSTGRES_USER}:${POSTGRES_PASSWORD}@localhost:5432/${POSTGRES_DB}`;
  expect(listenerCommand({ topicArn: '', endpoint: '', port: 1, rulesFolder: '' })).toContain(
    `DATABASE_URL=${url} `,
  );
});
