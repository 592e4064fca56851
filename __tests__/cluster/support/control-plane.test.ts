import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, inject, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { callApi } from './api-client.ts';
import { controlPlaneBinaries } from './binaries.ts';
import { startControlPlane } from './control-plane.ts';

test('nobody gets in without the token', async () => {
  const server = inject('controlPlane');
  expect(await callApi({ ...server, token: 'another' }, '/api')).toMatchObject({ status: 401 });
});

test('it ends when the process that started it is killed', async () => {
  // Whoever is killed leaves its files behind.
  const folder = await mkdtemp(join(tmpdir(), 'killed-'));
  const starter = spawn(process.execPath, [join(import.meta.dirname, 'start-control-plane.ts')], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [url] = await once(createInterface({ input: starter.stdout }), 'line');
  await expect(callApi({ ...inject('controlPlane'), url }, '/')).rejects.toThrow('self-signed');
  starter.kill('SIGKILL');
  await eventually(() =>
    expect(callApi({ ...inject('controlPlane'), url }, '/')).rejects.toThrow('ECONNREFUSED'),
  );
  await rm(folder, { recursive: true, force: true });
});

test('a program that fails at its start is named, with what it wrote', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'broken-'));
  const binaries = await controlPlaneBinaries();
  for (const program of ['etcd', 'kube-controller-manager', 'kube-scheduler', 'kwok']) {
    await symlink(join(binaries, program), join(folder, program));
  }
  const apiServer = join(folder, 'kube-apiserver');
  await writeFile(apiServer, '#!/bin/sh\necho "no such flag" >&2\nexit 3\n');
  await chmod(apiServer, 0o755);

  const environment = { ...process.env, KUBEBUILDER_ASSETS: folder };
  await expect(startControlPlane({ environment })).rejects.toThrow(
    /kube-apiserver ended with 3.*--- kube-apiserver\nno such flag/s,
  );
  await rm(folder, { recursive: true, force: true });
});
