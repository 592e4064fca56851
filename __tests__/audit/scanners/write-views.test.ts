import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { writeViews } from '../../../audit/scanners/write-views.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/synthesized-folder.ts';

let folder: TemporaryFolder;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => folder.remove());

it('names each manifest after its resource, so that a verdict leads back to it', () => {
  const manifest = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } };
  writeViews(folder.path, { format_version: '1.2' }, [
    { stack: 'app', address: 'kubernetes_namespace_v1.n', manifest },
  ]);
  expect(readdirSync(join(folder.path, 'manifests'))).toEqual(['kubernetes_namespace_v1.n.yaml']);
  const text = readFileSync(join(folder.path, 'manifests/kubernetes_namespace_v1.n.yaml'), 'utf8');
  expect(parse(text)).toEqual(manifest);
  expect(JSON.parse(readFileSync(join(folder.path, 'plan.json'), 'utf8'))).toEqual({
    format_version: '1.2',
  });
});
