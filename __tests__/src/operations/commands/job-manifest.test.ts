import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JOBS } from '@file-processing/contract/listener-interface.ts';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { EXIT } from '../../../../src/operations/operation-error.ts';
import { BUCKETS, environmentStacks, stacksOf } from '../../../audit/support/stacks.ts';
import { cli, eventOf } from '../../../listener/support/cli.ts';
import { manage } from '../../../support/manage.ts';

const BUCKET = 'etl-ba-research-client-etl-prod';
const KEY = 'from_client/tx_austin/a.csv';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'job-manifest-'));
  writeStacks(environmentStacks('complete'));
});

afterAll(() => rmSync(folder, { recursive: true }));

function writeStacks(stacks: object): void {
  const paths = Object.keys(stacks).map((name) => [name, { synthesizedStackPath: `${name}.json` }]);
  writeFileSync(
    join(folder, 'manifest.json'),
    JSON.stringify({ stacks: Object.fromEntries(paths) }),
  );
  for (const [name, json] of Object.entries(stacks)) {
    writeFileSync(join(folder, `${name}.json`), JSON.stringify(json));
  }
}

const jobManifest = (...parameters: string[]) =>
  manage(['job-manifest', '--environment', 'complete', '--from', folder, ...parameters]);

function kindsIn(yaml: string): string[] {
  return parseAllDocuments(yaml).map((document) => document.toJS().kind);
}

describe('manage job-manifest', () => {
  it('writes the Job for a key of the bucket of the tfvars', async () => {
    const { code, out, err } = await jobManifest('--key', 'from_client/tx_austin/a b.csv');
    expect([code, err]).toEqual([EXIT.ok, '']);
    expect(kindsIn(out)).toEqual(['NetworkPolicy', 'Job']);
    expect(out).toContain('from_client/tx_austin/a+b.csv');
  });

  it.each(['', 'none/job.yaml', 'manifest.json/job.yaml', 'caf\uFFFD'])(
    'refuses in one line to write what cannot be written: %j',
    async (name) => {
      const path = join(folder, name);
      const { code, out, err } = await jobManifest('--key', KEY, '-o', path);
      expect([code, out]).toEqual([EXIT.usage, '']);
      expect(err).toMatch(/^error: --output \S+ can't be written \(E[A-Z]+\)\nnext: .*\n$/);
    },
  );

  it('writes a ConfigMap as well for a file of events', async () => {
    const file = join(folder, 'events');
    writeFileSync(file, `${eventOf(BUCKET, KEY)}\n`);
    const { out } = await jobManifest('--events-file', file);
    expect(kindsIn(out)).toEqual(['NetworkPolicy', 'ConfigMap', 'Job']);
  });

  it('warns of what the listener will ignore beside a delivery', async () => {
    const { code, err } = await jobManifest(
      '--event-json',
      eventOf(BUCKET, KEY, 'elsewhere/a.csv'),
    );
    expect(code).toBe(EXIT.ok);
    expect(err).toBe(
      'warning: the listener will ignore elsewhere/a.csv: the key is below none of the key prefixes from_client/nm_albuquerque/, from_client/tx_austin/\n',
    );
  });

  it('holds a file against its own bucket of several', async () => {
    writeStacks(stacksOf(BUCKETS));
    const event = (bucket: string, key: string) =>
      jobManifest('--event-json', eventOf(bucket, key));
    expect((await event('letter-box', 'from_letters/a.csv')).code).toBe(EXIT.ok);
    expect((await event('their-box', 'from_client/a.csv')).code).toBe(EXIT.ok);
    expect((await event('letter-box', 'from_client/a.csv')).err).toContain(
      'the key is below none of the key prefixes from_letters/, too_late/',
    );
    expect((await event(BUCKET, KEY)).err).toContain(
      `the bucket is ${BUCKET}, not one of drop-box, letter-box, their-box`,
    );
    writeStacks(environmentStacks('complete'));
  });

  it('brings no control character of an event to the terminal', async () => {
    const beside = await jobManifest(
      '--event-json',
      eventOf(BUCKET, KEY, 'x/\u001b[2J\n\u202e.csv'),
    );
    expect(beside.err).toContain('x/?[2J??.csv: the key is below none');
    const [record] = JSON.parse(eventOf(BUCKET, KEY)).Records;
    const named = JSON.stringify({ Records: [{ ...record, eventName: '\u001b[2J' }] });
    const alone = await jobManifest('--event-json', named);
    expect(alone.err).toBe('error: the listener would judge nothing: ?[2J is not a delivery\n');
  });

  it('writes JSON that kubectl takes', async () => {
    const { out } = await jobManifest('--key', KEY, '--json');
    expect(JSON.parse(out)).toMatchObject({ apiVersion: 'v1', kind: 'List', items: [{}, {}] });
  });

  it('writes a file, and the same one again', async () => {
    const file = join(folder, 'job.yaml');
    const { out } = await jobManifest('--key', KEY, '-o', file);
    const first = readFileSync(file, 'utf8');
    await jobManifest('--key', KEY, '--output', file);
    expect(out).toBe('');
    expect(kindsIn(first)).toContain('Job');
    expect(readFileSync(file, 'utf8')).toBe(first);
  });

  it.each([
    [['--event-json', '{}'], /not an S3 event: Records is missing/],
    [[], /one of --event-json, --events-file and --key is needed, not 0/],
    [['--key', KEY, '--event-json', '{}'], /not 2/],
    [['--event-json', '{}', '--bucket', 'b'], /--bucket needs --key/],
    [['--events-file', '/nowhere/events'], /\/nowhere\/events can't be read/],
    [['--key', KEY, '--deadline', '0'], /1 to 99999999/],
    [['--key', KEY, '--ttl', '1h'], /1 to 99999999/],
    [['--key', 'x'.repeat(1025)], /the key is longer than 1024 bytes/],
    [['--key', KEY, '--job', 'other_job'], /s3_data_quality_job/],
    [['--key', KEY, '--bucket', 'other'], /judge nothing: the bucket is other, not /],
  ])('refuses %j', async (parameters, message) => {
    const { code, out, err } = await jobManifest(...parameters);
    expect([code, out]).toEqual([EXIT.usage, '']);
    expect(err).toMatch(message);
  });
});

describe('an event', () => {
  type Outcome = 'judged' | 'ignored' | 'refused';

  async function outcomeOfManage(event: string): Promise<Outcome> {
    const { code, err } = await jobManifest('--event-json', event);
    if (code === EXIT.ok) return 'judged';
    return err.includes('the listener would judge nothing') ? 'ignored' : 'refused';
  }

  /** What the listener's `run` makes of it with the settings of the same stack, over an empty bucket. */
  async function outcomeOfListener(event: string): Promise<Outcome> {
    const { resource } = environmentStacks('complete')['file-processing'] as {
      readonly resource: Record<string, Record<string, { readonly data: Record<string, string> }>>;
    };
    const { S3_BUCKET, S3_PREFIXES, S3_SUFFIX, REPORT_PREFIX } =
      resource.kubernetes_config_map_v1?.config?.data ?? {};
    const environment = { S3_BUCKET, S3_PREFIXES, S3_SUFFIX, REPORT_PREFIX, LOCAL_S3_ROOT: folder };
    const { code, out } = await cli(
      ['run', JOBS[0], '--dry-run', '--event-json', event],
      environment as Record<string, string>,
    );
    if (code === 2) return 'refused';
    return out === '' ? 'ignored' : 'judged';
  }

  const record = (object: object, changes: object = {}, bucket: string = BUCKET) => ({
    s3: { bucket: { name: bucket }, object: { key: KEY, ...object } },
    ...changes,
  });

  // `manage` wrote a Job for all but the first and the last two before both read by one reader.
  const SAMPLES: readonly (readonly [string, readonly object[] | object, Outcome])[] = [
    ['of a new object', [record({})], 'judged'],
    ['of a removed object', [record({}, { eventName: 'ObjectRemoved:Delete' })], 'ignored'],
    ['of a restored object', [record({}, { eventName: 'ObjectRestore:Completed' })], 'ignored'],
    ['of another bucket', [record({}, {}, 'drop-box')], 'ignored'],
    ['outside the key prefixes', [record({ key: 'elsewhere/a.csv' })], 'ignored'],
    ['without the key suffix', [record({ key: 'from_client/tx_austin/a.txt' })], 'ignored'],
    ['of a report', [record({ key: 'data_quality_reports/a.csv' })], 'ignored'],
    ['of a key that is too long', [record({ key: `${KEY}${'k'.repeat(1024)}` })], 'refused'],
    ['with half of a surrogate pair', [record({ key: `${KEY}\ud800` })], 'refused'],
    ['with NUL in the key', [record({ key: `${KEY}%00` })], 'refused'],
    ['of what cannot be a bucket', [record({}, {}, '../etc')], 'refused'],
    ['with a sequencer that is not a number', [record({ sequencer: 'xyz' })], 'refused'],
    ['with too many records', Array.from({ length: 1001 }, () => record({})), 'refused'],
    ['with one bad record of two', [record({}), record({ size: -1 })], 'refused'],
    ['of a key that is badly encoded', [record({ key: '%zz' })], 'refused'],
    ['without records', [], 'refused'],
  ];

  it.each(SAMPLES)('%s is the same to the listener and to manage', async (_, records, outcome) => {
    const event = JSON.stringify({ Records: records });
    expect(await outcomeOfListener(event)).toBe(outcome);
    expect(await outcomeOfManage(event)).toBe(outcome);
  });

  it('of a test is ignored by both', async () => {
    const event = '{"Event":"s3:TestEvent"}';
    expect(await outcomeOfListener(event)).toBe('ignored');
    expect(await outcomeOfManage(event)).toBe('ignored');
  });

  it('of any kind is the same to both', async () => {
    const part = (...usual: unknown[]) => fc.oneof(fc.constantFrom(...usual), fc.jsonValue());
    const events = fc.record({
      Records: fc.array(
        fc.record(
          {
            eventName: part('ObjectCreated:Put', 's3:ObjectCreated:Copy', 'ObjectRemoved:Delete'),
            s3: fc.record({
              bucket: fc.record({ name: part(BUCKET, BUCKET, 'drop-box') }),
              object: fc.record(
                { key: part(KEY, KEY, `data_quality_reports/${KEY}`), size: part(0, 1) },
                { requiredKeys: ['key'] },
              ),
            }),
          },
          { requiredKeys: ['s3'] },
        ),
        { maxLength: 2 },
      ),
    });
    await fc.assert(
      fc.asyncProperty(events, async (event) => {
        const text = JSON.stringify(event);
        expect(await outcomeOfManage(text)).toBe(await outcomeOfListener(text));
      }),
      { numRuns: 25 },
    );
  });
});

describe('an environment without an image', () => {
  it('is refused, with what to do', async () => {
    const stacks = structuredClone(environmentStacks('complete'));
    delete (stacks['file-processing'] as { resource: Record<string, unknown> }).resource
      .kubernetes_deployment_v1;
    writeStacks(stacks);
    const { code, err } = await jobManifest('--key', KEY);
    writeStacks(environmentStacks('complete'));
    expect(code).toBe(EXIT.refused);
    expect(err).toMatch(/no image\nnext: build one/);
  });
});
