import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { objectCreatedEvent } from '@file-processing/contract/s3-event.ts';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import { type LocalSns, startLocalSns } from '../../listener/local/sns/local-sns.ts';
import { readConfig } from '../../listener/src/config.ts';
import { recordListing } from '../../listener/src/database/listed-objects.ts';
import { createLogger } from '../../listener/src/serve/logger.ts';
import { type RunningListener, startListener } from '../../listener/src/serve/start-listener.ts';
import { createTestDatabase, type TestDatabase } from '../listener/support/postgres.ts';
import { startS3Server } from '../listener/support/s3-server.ts';
import { eventually } from '../support/eventually.ts';
import { run } from '../support/run-program.ts';
import { monitoringPrograms } from './support/programs.ts';

const DOCS = join(import.meta.dirname, '../../docs');
const TOPIC = 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:files';
const BUCKET = 'etl-ba-research-client-etl';

let promtool: string;
let folder: string;
let given: TestDatabase;
let sns: LocalSns;
let s3: Awaited<ReturnType<typeof startS3Server>>;
let listener: RunningListener;

/** Expressions of the alerting rules. */
async function expressionsOfRules(): Promise<readonly string[]> {
  const { groups } = parse(await readFile(join(DOCS, 'prometheus-rules.yaml'), 'utf8')) as {
    groups: readonly { readonly rules: readonly { readonly expr: string }[] }[];
  };
  return groups.flatMap(({ rules }) => rules.map(({ expr }) => expr));
}

/** Expressions of the dashboard's panels. */
async function expressionsOfDashboard(): Promise<readonly string[]> {
  const { panels } = JSON.parse(await readFile(join(DOCS, 'grafana-dashboard.json'), 'utf8')) as {
    panels: readonly { readonly targets: readonly { readonly expr: string }[] }[];
  };
  return panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
}

beforeAll(async () => {
  promtool = join(await monitoringPrograms(), 'promtool');
  folder = await mkdtemp(join(tmpdir(), 'monitoring-'));
  given = await createTestDatabase();
  sns = await startLocalSns({ retryPolicy: { intervalMilliseconds: 50, retries: 100 } });
  sns.createTopic(TOPIC);
  s3 = await startS3Server({
    [`${BUCKET}/from_client/good.csv`]: { body: 'id,name\n1,a\n', eTag: 'e1' },
  });
  await mkdir(join(folder, 'rules/mappings'), { recursive: true });
  await writeFile(join(folder, 'rules/mappings/broken.yaml'), 'name: [');
  await recordListing(given.database, {
    ...{ places: [{ bucket: BUCKET, prefix: 'from_client/' }], reason: 'test' },
    counts: { listed: 1, missing: 1, again: 0 },
  });
  await given.database('mappings').insert({ name: 'any', version: 1, table_schema: {} });
  await given.database('monitoring_files').insert({
    ...{ client: 'a', bucket: BUCKET, key_pattern: 'other/*' },
    ...{ mapping_name: 'any', mapping_version: 1 },
  });
  const aws = {
    ...{ AWS_ENDPOINT_URL_SNS: sns.origin, AWS_ENDPOINT_URL: s3.endpoint },
    ...{ AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'us-gov-west-1' },
  };
  for (const [name, value] of Object.entries(aws)) vi.stubEnv(name, value);
  const settings = {
    ...aws,
    ...{ DATABASE_URL: given.url, SNS_TOPIC_ARNS: TOPIC, PORT: '0', METRICS_PORT: '0' },
    ...{ S3_BUCKET: BUCKET, S3_PREFIXES: 'from_client/', RULES_LOCATION: join(folder, 'rules') },
    ...{ REPORT_PREFIX: 'reports/', WRITE_REPORTS: 'true' },
    ...{ NOTICE_WEBHOOK_URLS: 'http://127.0.0.1:9/', NOTICE_STATES: 'warned' },
    NOTICE_WEBHOOK_SECRETS: `whsec_${'a'.repeat(32)}`,
  };
  listener = await startListener({
    config: readConfig(settings, { database: true, httpIntake: true }),
    ...{ role: 'both', migrate: false },
    logger: createLogger('silent'),
  });
  await sns.subscribe(TOPIC, `http://127.0.0.1:${listener.port}/`).confirmed;
});
afterAll(async () => {
  await listener?.stop();
  await Promise.all([sns?.close(), s3?.close()]);
  await given?.drop();
  await rm(folder, { recursive: true, force: true });
  vi.unstubAllEnvs();
});

async function deliver(...keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    const event = objectCreatedEvent({
      ...{ bucket: BUCKET, key, sizeBytes: 12, eTag: 'e1' },
      ...{ region: 'us-gov-west-1', time: new Date() },
    });
    await sns.publish(TOPIC, { message: JSON.stringify(event) }).delivered;
  }
}

async function scrape(): Promise<string> {
  return (await fetch(`http://127.0.0.1:${listener.metricsPort}/metrics`)).text();
}

/** Metrics that an expression reads, with the names of the labels that it asks for, and their values. */
function readBy(expression: string) {
  return [
    ...expression.matchAll(/\b((?:file_processing|process|nodejs)_\w+)(?:\{([^}]*)\})?/g),
  ].map(([, name = '', labels = '']) => ({
    name,
    labels: [...labels.matchAll(/(\w+)=~?"([^"]*)"/g)].map(([, label = '', values = '']) => ({
      label,
      values: values.split('|'),
    })),
  }));
}

/** Labels that an expression groups by, but for what Prometheus adds itself. */
const groupedBy = (expression: string) =>
  [...expression.matchAll(/by \(([^)]*)\)/g)]
    .flatMap(([, names = '']) => names.split(',').map((name) => name.trim()))
    .filter((name) => name !== 'pod');

test('what rules and dashboard read is what a listener serves that has been through it', async () => {
  await deliver('from_client/good.csv');
  await deliver(...[1, 2, 3, 4, 5, 6].map((at) => `from_client/AccessDenied/${at}.csv`));
  await eventually(async () => {
    const text = await scrape();
    expect(text).toMatch(/^file_processing_bucket_outage\{[^}]*outage="access"\} 1$/m);
    expect(text).toMatch(/^file_processing_oldest_notice_seconds [1-9]/m);
    expect(text).toMatch(/^file_processing_rules_refused 1$/m);
    expect(text).toMatch(/^file_processing_last_listing_enqueued 1$/m);
    expect(text).toMatch(/^file_processing_task_last_success_timestamp_seconds\{task="notices"\}/m);
    expect(text).toMatch(/^file_processing_job_attempts_total\{outcome="done"\} 1$/m);
  });
  const text = await scrape();
  const expressions = [...(await expressionsOfRules()), ...(await expressionsOfDashboard())];
  for (const expression of expressions) {
    const found = readBy(expression);
    expect(found.length, expression).toBeGreaterThan(0);
    for (const { name, labels } of found) {
      expect(text, expression).toMatch(new RegExp(`^${name}(\\{[^}]*\\})? \\S+$`, 'm'));
      for (const { label, values } of labels) {
        for (const value of values) {
          expect(text, expression).toMatch(
            new RegExp(`^${name}\\{[^}]*\\b${label}="${value}"`, 'm'),
          );
        }
      }
      for (const label of groupedBy(expression)) {
        expect(text, expression).toMatch(new RegExp(`^${name}\\{[^}]*\\b${label}="`, 'm'));
      }
    }
  }
});

test('every metric of the listener is in the dashboard or in a rule', async () => {
  const expressions = [...(await expressionsOfRules()), ...(await expressionsOfDashboard())];
  const read = expressions.flatMap(readBy).map(({ name }) => name.replace(/_bucket$/, ''));
  const served = [...(await scrape()).matchAll(/^# TYPE (file_processing_\w+) /gm)].map(
    ([, name = '']) => name,
  );
  expect(served.filter((name) => !read.includes(name))).toEqual([]);
});

test('no label has as many values as there are files', async () => {
  const text = await scrape();
  expect(text).not.toMatch(/from_client|good\.csv/);
});

test('promtool takes the metrics that are served', async () => {
  const file = join(folder, 'metrics.txt');
  await writeFile(file, await scrape());
  const ended = await run('sh', ['-c', '"$1" check metrics < "$0"', file, promtool]);
  const said = `${ended.stdout}${ended.stderr}`.split('\n');
  // What Node.js and prom-client name is theirs.
  expect(said.filter((line) => line.startsWith('file_processing'))).toEqual([]);
});

test('promtool takes the rules, and the expressions of the dashboard', async () => {
  const rules = await run(promtool, ['check', 'rules', join(DOCS, 'prometheus-rules.yaml')]);
  expect(rules, rules.stderr).toMatchObject({ exitCode: 0 });
  const ofDashboard = join(folder, 'dashboard.yaml');
  const recorded = (await expressionsOfDashboard()).map((expr, at) => ({
    record: `panel:${at}`,
    expr,
  }));
  await writeFile(ofDashboard, stringify({ groups: [{ name: 'dashboard', rules: recorded }] }));
  const dashboard = await run(promtool, ['check', 'rules', ofDashboard]);
  expect(dashboard, dashboard.stderr).toMatchObject({ exitCode: 0 });
});

test('each alert fires on what it is for, and on nothing else', async () => {
  const played = join(import.meta.dirname, 'prometheus-rules.test.yaml');
  const ended = await run(promtool, ['test', 'rules', played]);
  expect(ended.exitCode, `${ended.stdout}${ended.stderr}`).toBe(0);
});
