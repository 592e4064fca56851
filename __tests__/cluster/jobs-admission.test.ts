import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type JobTemplate, jobOf } from '../../listener/src/queue/job-runner.ts';
import type { FileProcessingSettings } from '../../src/settings/file-processing-variables.ts';
import { modelOf } from '../../src/synthesized/model/model.ts';
import { kubernetesObjects } from '../../src/synthesized/views/kubernetes-manifests.ts';
import { synthesizeWorkload } from '../support/synthesized-workload.ts';
import { type ApiServer, callApi } from './support/api-client.ts';
import { DEADLINE, type Kubectl, kubectlIn } from './support/kubectl.ts';
import type { ConfigMap, KubernetesResource } from './support/kubernetes-resource.ts';
import { ofKind, withValue } from './support/kubernetes-resource.ts';
import { until } from './support/until.ts';

const NAMESPACE = 'jobs-admission';
const AS = `--as=system:serviceaccount:${NAMESPACE}:file-processing-sa`;
const IMAGE = 'test.invalid/listener:never-ready';
const POD = 'spec.template.spec';
const CONTAINER = `${POD}.containers.0`;

let kubectl: Kubectl;
let objects: readonly KubernetesResource[];
let job: KubernetesResource;

/** The objects of a stack that has large files judged by Jobs. */
function stackOf(settings: Partial<FileProcessingSettings>): readonly KubernetesResource[] {
  const { json } = synthesizeWorkload({
    ...{ namespace: NAMESPACE, job_runner: 'auto', image: IMAGE },
    ...settings,
  });
  const model = modelOf([{ name: 'file-processing', path: '', json }]);
  return kubernetesObjects(model).map(({ manifest }) => manifest as KubernetesResource);
}

function templateOf(from: readonly KubernetesResource[]): JobTemplate {
  const maps = from.filter((one): one is ConfigMap => one.kind === 'ConfigMap');
  const map = maps.find(({ metadata }) => metadata.name === 'file-processing-jobs');
  return JSON.parse(map?.data['template.json'] ?? '');
}

function jobFrom(template: JobTemplate, runId: string): KubernetesResource {
  const judgement = { runId, number: 1, submission: 1, sizeBytes: 2 ** 30 };
  return jobOf(template, judgement) as unknown as KubernetesResource;
}

const needed = (from: readonly KubernetesResource[]) =>
  from.filter(({ kind }) => kind !== 'Deployment' && kind !== 'CronJob');

beforeAll(async () => {
  kubectl = await kubectlIn(NAMESPACE);
  objects = stackOf({});
  const isNamespace = ({ kind }: KubernetesResource) => kind === 'Namespace';
  for (const some of [objects.filter(isNamespace), needed(objects)]) {
    const applied = await kubectl.apply(...some);
    if (applied.exitCode !== 0) throw new Error(applied.stderr);
  }
  // The API server takes a moment to learn of a policy.
  const other = withValue(jobFrom(templateOf(objects), '1'.repeat(36)), `${CONTAINER}.image`, 'x');
  await until(
    'the policy is in force',
    async () => (await create(other)).stderr.includes('denied request'),
    DEADLINE,
  );
  job = jobFrom(templateOf(objects), '01234567-89ab-cdef-0123-456789abcdef');
});

afterAll(async () => {
  await kubectl?.succeed('delete', 'namespace', NAMESPACE, '--wait=false');
  for (const kind of ['validatingadmissionpolicybinding', 'validatingadmissionpolicy']) {
    await kubectl?.succeed('delete', kind, `file-processing-jobs.${NAMESPACE}`);
  }
  await kubectl?.close();
});

async function create(object: KubernetesResource, as = AS) {
  const placed = withValue(object, 'metadata.namespace', NAMESPACE);
  return await kubectl.attempt(
    ...['create', '--dry-run=server', '--validate=strict', as, '--filename'],
    await fileOf(placed),
  );
}

async function fileOf(object: KubernetesResource): Promise<string> {
  const file = join(await mkdtemp(join(tmpdir(), 'job-')), 'job.json');
  await writeFile(file, JSON.stringify(object));
  return file;
}

test('the policy is one that the API server can check, without a warning', async () => {
  const policy = ofKind(objects as KubernetesResource[], 'ValidatingAdmissionPolicy');
  const status = await kubectl.succeed(
    ...['get', 'validatingadmissionpolicy', policy.metadata.name],
    ...['--output', 'jsonpath={.status.typeChecking.expressionWarnings}'],
  );
  expect(status).toBe('');
});

test('the listener may make a Job of its template, in a restricted namespace and without a warning', async () => {
  expect(await create(job)).toMatchObject({ exitCode: 0, stderr: '' });
});

describe('it may not make a Job', () => {
  test.each<[fault: string, field: string, value: unknown, said: string]>([
    ['of another image', `${CONTAINER}.image`, 'registry.example/other:1', 'another image'],
    ['of another ServiceAccount', `${POD}.serviceAccountName`, 'default', 'another ServiceAccount'],
    [
      'that mounts a token',
      `${POD}.automountServiceAccountToken`,
      true,
      'another ServiceAccount, or mounts its token',
    ],
    [
      'with a folder of its node',
      `${POD}.volumes`,
      [{ name: 'tmp', hostPath: { path: '/' } }],
      'other volumes',
    ],
    [
      'with a Secret that the listener does not have',
      `${POD}.volumes`,
      [{ name: 'tmp', secret: { secretName: 'of-others' } }],
      'other volumes',
    ],
    [
      'with a projected token',
      `${POD}.volumes`,
      [
        {
          name: 'tmp',
          projected: { sources: [{ serviceAccountToken: { path: 'token' } }] },
        },
      ],
      'other volumes',
    ],
    [
      'that is privileged',
      `${CONTAINER}.securityContext`,
      { privileged: true },
      'security context',
    ],
    ['that runs as root', `${CONTAINER}.securityContext.runAsUser`, 0, 'security context'],
    [
      'with a capability',
      `${CONTAINER}.securityContext.capabilities`,
      { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
      'security context',
    ],
    [
      'whose pod has SELinux options',
      `${POD}.securityContext.seLinuxOptions`,
      { type: 'spc_t' },
      'security context',
    ],
    [
      'whose container has SELinux options',
      `${CONTAINER}.securityContext.seLinuxOptions`,
      { type: 'spc_t' },
      'security context',
    ],
    [
      'whose pod AppArmor does not confine',
      `${POD}.securityContext.appArmorProfile`,
      { type: 'Unconfined' },
      'security context',
    ],
    [
      'whose container AppArmor does not confine',
      `${CONTAINER}.securityContext.appArmorProfile`,
      { type: 'Unconfined' },
      'security context',
    ],
    [
      'whose pods have annotations, by which others add containers',
      'spec.template.metadata.annotations',
      { 'vault.hashicorp.com/agent-inject': 'true' },
      'its pods have annotations',
    ],
    ['on the network of its node', `${POD}.hostNetwork`, true, 'shares something with its node'],
    ['on a node that it names', `${POD}.nodeName`, 'node-a', 'or chooses one'],
    ['that tolerates any taint', `${POD}.tolerations`, [{ operator: 'Exists' }], 'or chooses one'],
    [
      'with a value of a Secret',
      `${CONTAINER}.env`,
      [{ name: 'SCRATCH_MIB', valueFrom: { secretKeyRef: { name: 'of-others', key: 'k' } } }],
      'environment is another',
    ],
    [
      'with all of a Secret',
      `${CONTAINER}.envFrom`,
      [{ secretRef: { name: 'of-others' } }],
      'environment is another',
    ],
    [
      'whose runtime loads something else',
      `${CONTAINER}.env`,
      [{ name: 'NODE_OPTIONS', value: '--import=data:text/javascript,1' }],
      'environment is another',
    ],
    ['that runs another command', `${CONTAINER}.command`, ['sh'], 'another command'],
    [
      'that runs another command of the listener',
      `${CONTAINER}.args`,
      ['forget', 'a', '1'],
      'another command',
    ],
    [
      'with a hook',
      `${CONTAINER}.lifecycle`,
      { postStart: { exec: { command: ['sh'] } } },
      'another command',
    ],
    [
      'with a second container',
      `${POD}.initContainers`,
      [{ name: 'second', image: IMAGE }],
      'other containers',
    ],
    [
      "whose pods the listener's Service selects",
      'spec.template.metadata.labels.app',
      'file-processing-sns',
      'taken for others',
    ],
    ['with many pods', 'spec.parallelism', 50, 'taken for others'],
  ])('%s', async (_, field, value, said) => {
    const { exitCode, stderr } = await create(withValue(job, field, value));
    expect(stderr).toContain("ValidatingAdmissionPolicy 'file-processing-jobs.jobs-admission'");
    expect(stderr).toContain(said);
    expect(exitCode).toBe(1);
  });
});

test('others are not limited by it', async () => {
  const other = withValue(job, `${CONTAINER}.command`, ['sh']);
  expect((await create(other, '--validate=strict')).exitCode).toBe(0);
});

test.each([
  ['create', 'jobs', 'yes'],
  ['get', 'jobs', 'yes'],
  ['list', 'jobs', 'yes'],
  ['watch', 'jobs', 'yes'],
  ['delete', 'jobs', 'yes'],
  ['update', 'jobs', 'no'],
  ['patch', 'jobs', 'no'],
  ['deletecollection', 'jobs', 'no'],
  ['create', 'pods', 'no'],
  ['get', 'secrets', 'no'],
  ['create', 'cronjobs', 'no'],
  ['list', 'pods', 'no'],
])('it may %s %s: %s', async (verb, resource, answer) => {
  const { stdout } = await kubectl.attempt('auth', 'can-i', verb, resource, AS);
  expect(stdout.trim()).toBe(answer);
});

/** The image of the Deployment, its Jobs and their policy, as an apply changes it. */
async function deploy(image: string): Promise<KubernetesResource> {
  const next = stackOf({ image });
  const account = ({ kind, metadata }: KubernetesResource) =>
    kind === 'ServiceAccount' && metadata.name === 'file-processing-sa';
  expect((await kubectl.apply(...needed(next).filter(account))).exitCode).toBe(0);
  return jobFrom(templateOf(next), '11111111-89ab-cdef-0123-456789abcdef');
}

async function admitted(object: KubernetesResource): Promise<void> {
  await until('it is admitted', async () => (await create(object)).exitCode === 0, DEADLINE);
}

test('a new image changes what may be made, in one apply', async () => {
  await admitted(await deploy('test.invalid/listener:always-fails'));
  expect((await create(job)).stderr).toContain('another image');
});

// An API server stops watching the parameters' kind for good, where nothing else of it needs that (kubernetes/kubernetes#130887).
test('a new image changes it also after the policy was away', async () => {
  const binding = ofKind(objects as KubernetesResource[], 'ValidatingAdmissionPolicyBinding');
  await kubectl.succeed('delete', 'validatingadmissionpolicybinding', binding.metadata.name);
  const other = withValue(job, `${CONTAINER}.image`, 'test.invalid/other');
  await admitted(other);
  expect((await kubectl.apply(binding)).exitCode).toBe(0);
  await until('it is in force', async () => (await create(other)).exitCode !== 0, DEADLINE);
  await admitted(await deploy('test.invalid/listener:never-ready'));
  expect((await create(other)).stderr).toContain('another image');
});

describe('without the ServiceAccount of the listener', () => {
  let token: string;
  beforeAll(async () => {
    const account = ofKind(objects as KubernetesResource[], 'ServiceAccount').metadata.name;
    token = (await kubectl.succeed('create', 'token', account)).trim();
    await kubectl.succeed('delete', 'serviceaccount', account);
  });
  afterAll(async () => {
    await kubectl.apply(ofKind(objects as KubernetesResource[], 'ServiceAccount'));
  });
  const post = (server: ApiServer, object: KubernetesResource) =>
    callApi(server, `/apis/batch/v1/namespaces/${NAMESPACE}/jobs?dryRun=All`, object);

  test('others make their Jobs, such as that of a migration', async () => {
    const other = withValue(job, 'metadata.namespace', NAMESPACE);
    expect(await post(inject('controlPlane'), other)).toMatchObject({ status: 201 });
  });

  test('nobody signs in as the listener, whom the policy would let pass', async () => {
    const other = withValue(job, `${CONTAINER}.image`, 'test.invalid/other');
    await until(
      'the token is worth nothing',
      async () => (await post({ ...inject('controlPlane'), token }, other)).status === 401,
      DEADLINE,
    );
  });
});
