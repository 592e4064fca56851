import { describe, expect, it } from 'vitest';
import {
  listenerContainer,
  migrateContainer,
  PRE_STOP_SECONDS,
  podVolumes,
} from '../../../../src/file-processing/workload/containers.ts';
import { fileProcessingSettings } from '../../../support/settings.ts';
import { DATABASE } from '../../../support/synthesized-workload.ts';

const settings = fileProcessingSettings({
  cpu_request: '500m',
  memory_limit: '1Gi',
  scratch_limit: '512Mi',
});
const listener = listenerContainer(settings, { image: 'image', mountsRules: false });
const migrate = migrateContainer(settings, 'image');

describe.each([
  ['the listener', listener],
  ['the migration', migrate],
])('the container of %s', (_, container) => {
  it('meets the restricted Pod Security Standard without leaning on the pod', () => {
    expect(container.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: '10001',
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    });
  });

  it('can write to /tmp only', () => {
    expect(container.securityContext).toHaveProperty('readOnlyRootFilesystem', true);
    expect(container.volumeMount).toStrictEqual([{ name: 'tmp', mountPath: '/tmp' }]);
  });

  it('requests all the memory that it may use', () => {
    expect(container.resources).toMatchObject({
      requests: { cpu: '500m', memory: '1Gi' },
      limits: { memory: '1Gi' },
    });
  });

  it('may fill its scratch space, and has some disk beside it', () => {
    expect(container.resources).toMatchObject({
      requests: { 'ephemeral-storage': '640Mi' },
      limits: { 'ephemeral-storage': '1536Mi' },
    });
  });

  it('has no CPU limit', () => {
    expect(container.resources?.limits).not.toHaveProperty('cpu');
  });

  it('takes its environment from the ConfigMap', () => {
    expect(container.envFrom).toStrictEqual([{ configMapRef: { name: 'file-processing-config' } }]);
  });
});

describe('podVolumes', () => {
  it('have room for the scratch space in the temporary folder', () => {
    expect(podVolumes(settings)).toContainEqual({ name: 'tmp', emptyDir: { sizeLimit: '768Mi' } });
  });
});

describe('migrateContainer', () => {
  it('runs the migrations', () => {
    expect(migrate).toMatchObject({ image: 'image', args: ['migrate', '--wait'] });
  });
});

describe('listenerContainer', () => {
  it('serves', () => {
    expect(listener).toMatchObject({ name: 'sns-listener', image: 'image', args: ['serve'] });
  });

  it('opens the ports that the environment names', () => {
    expect(listener.port).toStrictEqual([
      { name: 'http', containerPort: 8080, protocol: 'TCP' },
      { name: 'metrics', containerPort: 9090, protocol: 'TCP' },
    ]);
  });

  it.each([
    ['startupProbe', '/healthz'],
    ['livenessProbe', '/healthz'],
    ['readinessProbe', '/readyz'],
  ] as const)('has a %s on %s', (probe, path) => {
    expect(listener[probe]?.httpGet).toStrictEqual({ path, port: 'metrics', scheme: 'HTTP' });
  });

  it('goes on serving for a while before it stops', () => {
    expect(listener.lifecycle?.preStop).toStrictEqual([
      { exec: { command: ['node', '-e', `setTimeout(() => {}, ${PRE_STOP_SECONDS * 1000})`] } },
    ]);
  });

  it("mounts the database's Secret read-only when there is one", () => {
    const container = listenerContainer(fileProcessingSettings(DATABASE), {
      image: 'image',
      mountsRules: false,
    });
    expect(container.volumeMount).toContainEqual({
      name: 'secrets',
      mountPath: '/etc/file-processing/secrets',
      readOnly: true,
    });
  });
});

it('the Secret of notices is mounted where one of its keys is read, in every container', () => {
  const telling = fileProcessingSettings({
    notice_webhook_urls: ['https://a.example.gov/x'],
    notice_secret_name: 'notices',
  });
  expect(podVolumes(telling)).toContainEqual({
    name: 'notices',
    secret: { secretName: 'notices', defaultMode: '0440' },
  });
  const mount = { name: 'notices', mountPath: '/etc/file-processing/notices', readOnly: true };
  for (const container of [
    listenerContainer(telling, { image: 'image', mountsRules: false }),
    migrateContainer(telling, 'image'),
  ]) {
    expect(container.volumeMount).toContainEqual(mount);
  }
  expect(podVolumes(settings)).not.toContainEqual(expect.objectContaining({ name: 'notices' }));
});
