import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { EXIT } from '../../../../src/operations/operation-error.ts';
import { environmentStacks } from '../../../audit/support/stacks.ts';
import { manage } from '../../../support/manage.ts';

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
    const { code, out, err } = await jobManifest('--key', 'from_client/a b.csv');
    expect([code, err]).toEqual([EXIT.ok, '']);
    expect(kindsIn(out)).toEqual(['NetworkPolicy', 'Job']);
    expect(out).toContain('from_client/a+b.csv');
  });

  it('writes a ConfigMap as well for a file of events', async () => {
    const file = join(folder, 'events');
    writeFileSync(file, '{"Records":[{"s3":{"bucket":{"name":"b"},"object":{"key":"k"}}}]}\n');
    const { out } = await jobManifest('--events-file', file);
    expect(kindsIn(out)).toEqual(['NetworkPolicy', 'ConfigMap', 'Job']);
  });

  it('warns of a bucket that the role may not read', async () => {
    const { code, err } = await jobManifest('--key', 'a', '--bucket', 'other-bucket');
    expect(code).toBe(EXIT.ok);
    expect(err).toMatch(/warning: s3:\/\/other-bucket\/a is not in /);
  });

  it('writes JSON that kubectl takes', async () => {
    const { out } = await jobManifest('--key', 'a', '--json');
    expect(JSON.parse(out)).toMatchObject({ apiVersion: 'v1', kind: 'List', items: [{}, {}] });
  });

  it('writes a file, and the same one again', async () => {
    const file = join(folder, 'job.yaml');
    const { out } = await jobManifest('--key', 'a', '-o', file);
    const first = readFileSync(file, 'utf8');
    await jobManifest('--key', 'a', '--output', file);
    expect(out).toBe('');
    expect(kindsIn(first)).toContain('Job');
    expect(readFileSync(file, 'utf8')).toBe(first);
  });

  it.each([
    [['--event-json', '{}'], /no S3 event/],
    [[], /one of --event-json, --events-file and --key is needed, not 0/],
    [['--key', 'a', '--event-json', '{}'], /not 2/],
    [['--event-json', '{}', '--bucket', 'b'], /--bucket goes with --key/],
    [['--events-file', '/nowhere/events'], /\/nowhere\/events can't be read/],
    [['--key', 'a', '--deadline', '0'], /1 to 99999999/],
    [['--key', 'a', '--ttl', '1h'], /1 to 99999999/],
    [['--key', 'x'.repeat(1025)], /1025 bytes/],
  ])('refuses %j', async (parameters, message) => {
    const { code, out, err } = await jobManifest(...parameters);
    expect([code, out]).toEqual([EXIT.usage, '']);
    expect(err).toMatch(message);
  });
});

describe('an environment without an image', () => {
  it('is refused, with what to do', async () => {
    const stacks = structuredClone(environmentStacks('complete'));
    delete (stacks['file-processing'] as { resource: Record<string, unknown> }).resource
      .kubernetes_deployment_v1;
    writeStacks(stacks);
    const { code, err } = await jobManifest('--key', 'a');
    writeStacks(environmentStacks('complete'));
    expect(code).toBe(EXIT.refused);
    expect(err).toMatch(/no image\nnext: build one/);
  });
});
