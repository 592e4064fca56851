import { once } from 'node:events';
import { createServer, request as forward, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  GetObjectCommand,
  GetObjectTaggingCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../listener/support/postgres.ts';
import { eventually } from '../support/eventually.ts';
import { createBucket, createTopic, putFile, subscribe } from './support/drop-box.ts';
import {
  type ListenerProcess,
  runListenerCommand,
  startListener,
} from './support/listener-process.ts';
import { type LocalStack, topicArnOf } from './support/localstack.ts';
import { outcomesOf } from './support/records.ts';
import { sharedLocalStack } from './support/shared-localstack.ts';

const NAME = 'routed-box';
const TARGETS = [{ bucket: NAME, prefix: 'checked/' }];

/** Holds back requests that a test names, on their way to S3. */
interface Gate {
  readonly url: string;
  /** Requests with such a method and path wait until the gate is opened. @returns settles with the first one */
  hold(what: RegExp): Promise<void>;
  open(): void;
  close(): Promise<void>;
}

let localStack: LocalStack;
let testDatabase: TestDatabase;
let gate: Gate;
let listener: ListenerProcess;

beforeAll(async () => {
  [localStack, testDatabase] = await Promise.all([sharedLocalStack(), createTestDatabase()]);
  gate = await startGate(localStack.url);
  const fields = [
    { name: 'n', type: 'integer', classification: 'public' },
    { name: 'name', classification: 'sensitive' },
  ];
  await testDatabase.database('mappings').insert({
    ...{ name: 'routed', version: 1, table_schema: { fields } },
  });
  await testDatabase.database('monitoring_files').insert({
    ...{ client: 'nm', bucket: NAME, key_pattern: 'in/*.csv' },
    ...{ mapping_name: 'routed', mapping_version: 1 },
    on_verdict: { tag: true, copy: { prefix: 'checked/' } },
  });
  listener = await startListener(settings());
  const topicArn = await createTopic(localStack, NAME);
  await subscribe(localStack, topicArn, listener.url);
  await createBucket(localStack, NAME, topicArn, { versioned: true });
});

afterAll(async () => {
  await listener?.stop();
  await gate?.close();
  await testDatabase?.drop();
});

function settings() {
  return {
    localStack: gate,
    databaseUrl: testDatabase.url,
    environment: {
      SNS_TOPIC_ARNS: topicArnOf(NAME),
      AWS_ENDPOINT_URL_SNS: localStack.url,
      ROUTING_TAGS: 'true',
      ROUTING_TARGETS: JSON.stringify(TARGETS),
    },
  };
}

async function copies(): Promise<string[]> {
  const command = new ListObjectsV2Command({ Bucket: NAME, Prefix: 'checked/' });
  return ((await localStack.s3.send(command)).Contents ?? []).map(({ Key }) => Key ?? '').sort();
}

async function textOf(key: string): Promise<string | undefined> {
  const { Body } = await localStack.s3.send(new GetObjectCommand({ Bucket: NAME, Key: key }));
  return Body?.transformToString();
}

async function tagOf(key: string, versionId?: string): Promise<string | undefined> {
  const command = new GetObjectTaggingCommand({ Bucket: NAME, Key: key, VersionId: versionId });
  const { TagSet = [] } = await localStack.s3.send(command);
  return TagSet.find(({ Key }) => Key === 'dq-verdict')?.Value;
}

const routed = (versionId: string | undefined) =>
  eventually(async () => {
    const { runs, judgements } = { runs: 'runs', judgements: 'judgements' };
    const found = await testDatabase
      .database(judgements)
      .join(runs, `${runs}.id`, `${judgements}.run_id`)
      .where({ version_id: versionId })
      .whereNotNull('routed_at');
    expect(found).not.toEqual([]);
  });

test('good and bad files are tagged and copied, and no copy is taken for a delivery', async () => {
  const good = await putFile(localStack, NAME, 'in/good.csv', 'n,name\n1,Ada\n');
  const bad = await putFile(localStack, NAME, 'in/bad.csv', 'n,name\nx,MARKER\n');
  await routed(good);
  await routed(bad);
  expect(await copies()).toEqual([
    `checked/accepted/in/${good}.1/good.csv`,
    `checked/rejected/in/${bad}.1/bad.csv`,
    `checked/rejected/in/${bad}.1/bad.csv.rejects.csv`,
  ]);
  expect(await tagOf('in/good.csv', good)).toBe('passed');
  expect(await tagOf('in/bad.csv', bad)).toBe('failed');
  const rejects = await textOf(`checked/rejected/in/${bad}.1/bad.csv.rejects.csv`);
  expect(rejects).toContain('"2","2","type-error","n","x,[withheld]"');
  expect(rejects).not.toContain('MARKER');
  // The files, the copies, what lies beside one, and the test event.
  await eventually(async () => {
    const outcomes = await outcomesOf(testDatabase.database, topicArnOf(NAME), 6);
    const reasons = outcomes.map(({ reason }) => reason ?? '');
    const routed = reasons.filter((reason) => reason.includes('where files are routed to'));
    expect(routed).toHaveLength(3);
  });
  expect(await testDatabase.database('runs')).toHaveLength(2);
});

test('two deliveries of one key have two copies', async () => {
  const versions = [
    await putFile(localStack, NAME, 'in/twice.csv', 'n,name\n1,Ada\n'),
    await putFile(localStack, NAME, 'in/twice.csv', 'n,name\n2,Ada\n'),
  ];
  for (const [index, version] of versions.entries()) {
    await routed(version);
    expect(await textOf(`checked/accepted/in/${version}.1/twice.csv`)).toBe(
      `n,name\n${index + 1},Ada\n`,
    );
  }
});

test('a correction copies to the right folder and tags the wrong copy', async () => {
  const version = await putFile(localStack, NAME, 'in/corrected.csv', 'n,name\n1,Ada\n');
  await routed(version);
  await testDatabase.database('mappings').insert({
    ...{ name: 'routed', version: 2 },
    table_schema: {
      fields: [{ name: 'n', type: 'integer', constraints: { minimum: 2 } }, { name: 'name' }],
    },
  });
  await testDatabase.database('monitoring_files').update({ mapping_version: 2 });
  const { environment, ...rest } = settings();
  const parameters = [
    'runs',
    'rejudge',
    '--mapping',
    'routed',
    '--since',
    '1d',
    '--reason',
    'new rules',
  ];
  await runListenerCommand({ ...rest, environment }, parameters);
  await eventually(async () => {
    expect(await copies()).toContain(`checked/rejected/in/${version}.2/corrected.csv`);
    expect(await tagOf(`checked/accepted/in/${version}.1/corrected.csv`)).toBe('superseded');
    expect(await tagOf('in/corrected.csv', version)).toBe('failed');
  });
  await testDatabase.database('monitoring_files').update({ mapping_version: 1 });
});

test('a listener that is killed between copy and what comes after leaves the rest to another one', async () => {
  const held = gate.hold(/^PUT .*killed\.csv\.rejects\.csv/);
  const version = await putFile(localStack, NAME, 'in/killed.csv', 'n,name\nx,Ada\n');
  await held;
  await listener.kill();
  gate.open();
  const folder = `checked/rejected/in/${version}.1`;
  expect(await copies()).toContain(`${folder}/killed.csv`);
  listener = await startListener(settings());
  await routed(version);
  expect((await copies()).filter((key) => key.startsWith(folder))).toEqual([
    `${folder}/killed.csv`,
    `${folder}/killed.csv.rejects.csv`,
  ]);
  const command = new ListObjectVersionsCommand({ Bucket: NAME, Prefix: `${folder}/killed.csv` });
  const { Versions = [] } = await localStack.s3.send(command);
  expect(Versions.filter(({ Key }) => Key === `${folder}/killed.csv`)).toHaveLength(1);
  expect(await tagOf('in/killed.csv', version)).toBe('failed');
});

async function startGate(target: string): Promise<Gate> {
  const to = new URL(target);
  let held: RegExp | undefined;
  let opened = Promise.withResolvers<void>();
  let seen = Promise.withResolvers<void>();
  const server: Server = createServer(async (incoming, outgoing) => {
    const { method, url: path, headers } = incoming;
    if (held?.test(`${method} ${path}`)) {
      seen.resolve();
      await opened.promise;
    }
    // Who has gone meanwhile asks for nothing any more.
    if (incoming.destroyed && !incoming.complete) return;
    const request = forward(
      { host: to.hostname, port: to.port, method, path, headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      },
    );
    request.on('error', () => outgoing.destroy());
    incoming.pipe(request);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    hold(what) {
      held = what;
      opened = Promise.withResolvers<void>();
      seen = Promise.withResolvers<void>();
      return seen.promise;
    },
    open() {
      held = undefined;
      opened.resolve();
    },
    async close() {
      opened.resolve();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
