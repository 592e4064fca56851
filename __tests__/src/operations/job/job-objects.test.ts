import { describe, expect, it } from 'vitest';
import { type JobRequest, jobObjects } from '../../../../src/operations/job/job-objects.ts';
import {
  type KubernetesObject,
  kubernetesObjects,
  type Manifest,
} from '../../../../src/synthesized/views/kubernetes-manifests.ts';
import { modelOfJson } from '../../../audit/support/stack-model.ts';
import { environmentStacks } from '../../../audit/support/stacks.ts';

const OBJECTS = kubernetesObjects(modelOfJson(environmentStacks('complete')));
const REQUEST: JobRequest = {
  job: 's3_data_quality_job',
  events: '{"Records":[]}',
  mounted: false,
  deadlineSeconds: 600,
  ttlSeconds: 60,
};

function manifestOf(kind: string, request: Partial<JobRequest> = {}, objects = OBJECTS): Manifest {
  const found = jobObjects(objects, { ...REQUEST, ...request }).find((one) => one.kind === kind);
  if (found === undefined) throw new Error(`there is no ${kind}`);
  return found;
}

const DEPLOYMENT = OBJECTS.find(
  ({ manifest }) =>
    manifest.kind === 'Deployment' && manifest.metadata.name === 'file-processing-sns',
)?.manifest;

describe('the Job', () => {
  const job = manifestOf('Job');
  const pod = job.spec.template.spec;

  it('pulls the image with the same Secrets', () => {
    expect(pod.imagePullSecrets).toEqual([{ name: 'registry-credentials' }]);
  });

  it('runs the job over the events, once a pod, within the limits', () => {
    expect(job.spec).toMatchObject({
      backoffLimit: 3,
      activeDeadlineSeconds: 600,
      ttlSecondsAfterFinished: 60,
    });
    expect(pod.restartPolicy).toBe('Never');
    expect(pod.containers).toHaveLength(1);
    expect(pod.containers[0].args).toEqual([
      'run',
      's3_data_quality_job',
      '--invocation',
      '$(JOB_UID)',
      '--event-json',
      '{"Records":[]}',
    ]);
  });

  it('is not tried again for a bad file or bad settings, nor blamed for a drained node', () => {
    expect(job.spec.podFailurePolicy.rules).toStrictEqual([
      {
        action: 'FailJob',
        onExitCodes: { containerName: pod.containers[0].name, operator: 'In', values: [1, 2, 66] },
      },
      { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
    ]);
  });

  it("has the Deployment's image, environment, identity, security and volumes, and no token for the Kubernetes API", () => {
    const template = DEPLOYMENT?.spec.template.spec;
    expect(template.automountServiceAccountToken).toBe(true);
    expect(pod.automountServiceAccountToken).toBe(false);
    for (const field of ['serviceAccountName', 'securityContext', 'volumes']) {
      expect(pod[field], field).toEqual(template[field]);
    }
    for (const field of ['image', 'envFrom', 'resources', 'securityContext', 'volumeMounts']) {
      expect(pod.containers[0][field], field).toEqual(template.containers[0][field]);
    }
  });

  it('neither serves nor migrates', () => {
    expect(Object.keys(pod)).not.toContain('initContainers');
    const fields = Object.keys(pod.containers[0]);
    for (const field of ['ports', 'livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle']) {
      expect(fields).not.toContain(field);
    }
  });

  it('has pods that no Service, budget or Deployment selects', () => {
    const { labels } = job.spec.template.metadata;
    for (const { manifest } of OBJECTS) {
      const { selector } = manifest.spec ?? {};
      const wanted = manifest.kind === 'Service' ? selector : selector?.matchLabels;
      if (wanted === undefined) continue;
      const selected = Object.entries(wanted).every(([name, value]) => labels[name] === value);
      expect(selected, manifest.kind).toBe(false);
    }
  });

  it('keeps a $ of the events, which Kubernetes would take for a variable', () => {
    const { args } = manifestOf('Job', { events: '"$(DB_PASSWORD)"' }).spec.template.spec
      .containers[0];
    expect(args.at(-1)).toBe('"$$(DB_PASSWORD)"');
  });
});

describe("the Job's name", () => {
  it('is the same for the same, and another for other events, image or limits', () => {
    const other = structuredClone(OBJECTS) as KubernetesObject[];
    for (const { manifest } of other) {
      if (manifest.kind === 'Deployment') manifest.spec.template.spec.containers[0].image = 'x';
    }
    const names = [
      manifestOf('Job'),
      manifestOf('Job', { events: '{}' }),
      manifestOf('Job', { deadlineSeconds: 1 }),
      manifestOf('Job', { mounted: true }),
      manifestOf('Job', {}, other),
    ].map(({ metadata }) => metadata.name);
    expect(new Set(names).size).toBe(names.length);
    expect(manifestOf('Job').metadata.name).toBe(names[0]);
    for (const name of names) expect(name).toMatch(/^[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$/);
  });
});

describe('mounted events', () => {
  it('are in a ConfigMap that the container reads as a file', () => {
    const configMap = manifestOf('ConfigMap', { mounted: true });
    const pod = manifestOf('Job', { mounted: true }).spec.template.spec;
    const [container] = pod.containers;
    const file = container.args.at(-1);
    const volume = pod.volumes.find(({ name }: { name: string }) => name === 'job-files');
    const mount = container.volumeMounts.find(({ name }: { name: string }) => name === 'job-files');
    expect(container.args).toContain('--events-file');
    expect(volume.configMap.name).toBe(configMap.metadata.name);
    expect(file).toBe(`${mount.mountPath}/${Object.keys(configMap.data)[0]}`);
    expect(configMap.data).toStrictEqual({ 'events.json': '{"Records":[]}' });
  });
});

describe("what can't be a Job", () => {
  it.each([
    [
      'an environment without an image',
      OBJECTS.filter(({ manifest }) => manifest.kind !== 'Deployment'),
      {},
      /no image/,
    ],
    [
      'events too long for an argument',
      OBJECTS,
      { events: 'x'.repeat(131_072) },
      /131072 bytes; at most 131071/,
    ],
    [
      'events too long for a ConfigMap',
      OBJECTS,
      { events: 'x'.repeat(1_000_001), mounted: true },
      /at most 1000000/,
    ],
  ])('is refused: %s', (_, objects, request, message) => {
    expect(() => jobObjects(objects, { ...REQUEST, ...request })).toThrow(message);
  });

  it('is refused where the pods have what only Terraform knows', () => {
    const objects = structuredClone(OBJECTS) as KubernetesObject[];
    for (const { manifest } of objects) {
      if (manifest.kind === 'Deployment') {
        manifest.spec.template.spec.containers[0].image = '${aws_ecr_repository.r.url}';
      }
    }
    expect(() => jobObjects(objects, REQUEST)).toThrow(/aws_ecr_repository\.r\.url/);
  });
});
