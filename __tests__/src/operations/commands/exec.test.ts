import { describe, expect, it } from 'vitest';
import type { EndSignal, OperationContext } from '../../../../src/operations/operation.ts';
import type { Runner, RunResult } from '../../../../src/operations/runner.ts';
import {
  kubernetesObjects,
  type Manifest,
} from '../../../../src/synthesized/views/kubernetes-manifests.ts';
import { modelOfJson } from '../../../audit/support/stack-model.ts';
import { environmentStacks } from '../../../audit/support/stacks.ts';
import { manage } from '../../../support/manage.ts';

/** What the cluster has of the stack; only the ServiceAccount is that of the environment that is asked for. */
const DEPLOYED = kubernetesObjects(modelOfJson(environmentStacks('etl-playground')))
  .map(({ manifest }) => manifest)
  .filter(({ kind }) => /^(Deployment|Service|NetworkPolicy|PodDisruptionBudget)$/.test(kind));

/** How the pod of the Job stands at one look; undefined where there is none. */
type Look = Readonly<Record<string, object>> | undefined;

const RUNNING: Look = { running: {} };
const ended = (exitCode: number, reason = 'Error'): Look => ({ terminated: { exitCode, reason } });

interface Cluster {
  readonly items?: readonly object[];
  /** The pod's states, look by look; the last one stays. */
  readonly looks?: readonly (Look | 'unreachable')[];
  /** What `kubectl logs` does while it runs. */
  readonly logs?: () => RunResult | undefined;
  readonly job?: object;
  readonly events?: readonly object[];
  readonly apply?: RunResult;
  readonly remove?: RunResult[];
}

/** What `kubectl apply` was given. */
interface Applied {
  readonly items: readonly Manifest[];
}

const DONE: RunResult = { code: 0, stdout: '', stderr: '' };

/** Runs `manage exec` against a played kubectl. */
async function exec(
  parameters: readonly string[],
  { items = DEPLOYED, looks = [RUNNING, ended(0)], ...cluster }: Cluster = {},
  context: Partial<OperationContext> = {},
) {
  const calls: string[] = [];
  let applied: Applied = { items: [] };
  const states = [...looks];
  const answer = (value: object): RunResult => ({ ...DONE, stdout: JSON.stringify(value) });
  const run: Runner = async (program, given, options) => {
    if (program === 'aws') return DONE;
    const [verb = '', kind] = given.slice(2);
    calls.push(given.slice(2).join(' '));
    switch (verb) {
      case 'apply':
        applied = { items: [...applied.items, ...JSON.parse(options?.input ?? '').items] };
        return cluster.apply ?? DONE;
      case 'logs':
        return cluster.logs?.() ?? DONE;
      case 'delete':
        return cluster.remove?.shift() ?? DONE;
      case 'wait':
        return DONE;
    }
    if (kind === 'job') return answer(cluster.job ?? {});
    if (kind === 'events') return answer({ items: cluster.events ?? [] });
    if (kind !== 'pods') return answer({ items });
    const look = states.length > 1 ? states.shift() : states[0];
    if (look === 'unreachable') return { code: 1, stdout: '', stderr: 'connection refused' };
    const container = { name: 'sns-listener', state: look };
    const sidecar = { name: 'proxy', state: { running: {} } };
    const pod = {
      metadata: { name: 'the-pod' },
      status: { containerStatuses: [sidecar, container] },
    };
    return answer({ items: look === undefined ? [] : [pod] });
  };
  const result = await manage(['exec', '--profile', '', ...parameters], { run, ...context });
  return { ...result, calls, applied };
}

const RUNS = ['--', 'runs', 'list', '--json', '--limit', '5'];

describe('the Job of manage exec', () => {
  it('is the deployed Deployment’s pod with another command', async () => {
    const { applied } = await exec(RUNS);
    const [policy, job] = applied.items as [Manifest, Manifest];
    const theirs = DEPLOYED.find(({ kind }) => kind === 'Deployment')?.spec.template.spec;
    const { spec } = job.spec.template;
    expect(policy.kind).toBe('NetworkPolicy');
    expect(job.metadata.namespace).toBe('file-processing');
    expect(job.metadata.name).toMatch(/^file-processing-sns-exec-[0-9a-f]{8}$/);
    for (const field of ['serviceAccountName', 'securityContext', 'volumes']) {
      expect(spec[field], field).toStrictEqual(theirs[field]);
    }
    const [container] = theirs.containers;
    for (const field of ['image', 'envFrom', 'env', 'volumeMounts', 'securityContext']) {
      expect(spec.containers[0][field], field).toStrictEqual(container[field]);
    }
    expect(spec.containers).toMatchObject([
      { name: 'sns-listener', args: ['runs', 'list', '--json', '--limit', '5'] },
    ]);
  });

  it('is tried once, and ends by itself and goes by itself where nobody is there to delete it', async () => {
    const { applied } = await exec(['--deadline', '60', ...RUNS]);
    expect(applied.items[1]?.spec).toMatchObject({
      backoffLimit: 0,
      activeDeadlineSeconds: 60,
      ttlSecondsAfterFinished: 3600,
    });
  });

  it('is made from what selects the listener, and nothing else of a shared namespace', async () => {
    const policy = (name: string, podSelector: object) => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name },
      spec: { podSelector, policyTypes: ['Ingress', 'Egress'] },
    });
    const others = [
      policy('deny-all', {}),
      policy('of-jobs', { matchLabels: { 'app.kubernetes.io/component': 'file-job' } }),
      {
        kind: 'Deployment',
        metadata: { name: 'other' },
        spec: { template: { metadata: {}, spec: { containers: [] } }, selector: {} },
      },
    ];
    const alone = await exec(RUNS);
    const { applied } = await exec(RUNS, { items: [...others, ...DEPLOYED] });
    expect(applied.items[0]).toStrictEqual(alone.applied.items[0]);
    expect(applied.items).toHaveLength(2);
  });

  it('is written by --dry-run, and not made', async () => {
    const { code, out, calls } = await exec(['--dry-run', ...RUNS]);
    expect(out).toContain('kind: Job');
    expect(calls).toHaveLength(1);
    expect(code).toBe(0);
  });
});

describe('manage exec', () => {
  it('shows the log, ends with the code of the command and deletes the Job', async () => {
    const { code, err, calls } = await exec(RUNS, { looks: [undefined, RUNNING, ended(66)] });
    expect(code).toBe(66);
    expect(err).toContain('The command ended with 66.');
    expect(calls).toContain('logs the-pod --container sns-listener --follow');
    expect(calls.at(-1)).toMatch(
      /^delete job file-processing-sns-exec-\w+ --ignore-not-found --cascade=foreground --wait=false$/,
    );
  });

  it('shows the log of a command that had ended before it was looked for', async () => {
    const { code, calls } = await exec(RUNS, { looks: [ended(0, 'Completed')] });
    expect(calls.filter((call) => call.startsWith('logs'))).toHaveLength(1);
    expect(code).toBe(0);
  });

  it('says why the system ended the command', async () => {
    const { code, err } = await exec(RUNS, { looks: [RUNNING, ended(137, 'OOMKilled')] });
    expect(err).toContain('The command ended with 137 (OOMKilled).');
    expect(code).toBe(137);
  });

  it('follows a log that broke off', async () => {
    const broken = [{ code: 1, stdout: '', stderr: 'unexpected EOF' }];
    const { code, err, calls } = await exec(RUNS, {
      looks: [RUNNING, RUNNING, ended(0)],
      logs: () => broken.shift(),
    });
    expect(calls).toContain(
      'logs the-pod --container sns-listener --follow --since-time=2026-01-02T03:04:05.000Z',
    );
    expect(err).toContain('The log was interrupted and continues');
    expect(code).toBe(0);
  });

  it('says why no pod starts, and deletes the Job', async () => {
    const waiting = { reason: 'ImagePullBackOff', message: 'Back-off pulling image' };
    const { code, err, calls } = await exec(['--wait', '3', ...RUNS], { looks: [{ waiting }] });
    expect(err).toContain('has started within 3 s: ImagePullBackOff: Back-off pulling image');
    expect(err.match(/Waiting for the pod/g)).toHaveLength(1);
    expect(calls.at(-1)).toMatch(/^delete job/);
    expect(code).toBe(1);
  });

  it('says why no pod is made', async () => {
    const message = 'exceeded quota: pods';
    const { err } = await exec(['--wait', '1', ...RUNS], {
      looks: [undefined],
      events: [{ message }],
    });
    expect(err).toContain(`has started within 1 s: ${message}`);
  });

  it('says that the Job took too long', async () => {
    const conditions = [{ type: 'Failed', message: 'Job was active longer than its deadline' }];
    const { code, err } = await exec(RUNS, {
      looks: [RUNNING, undefined],
      job: { status: { conditions } },
    });
    expect(err).toContain('is gone: Job was active longer than its deadline');
    expect(code).toBe(1);
  });

  it('lets a command go on that it can no longer see', async () => {
    const { code, err, calls } = await exec(RUNS, { looks: [RUNNING, 'unreachable'] });
    expect(err).toContain(
      'can no longer be followed, but goes on: kubectl get pods: connection refused',
    );
    expect(calls.filter((call) => call.startsWith('delete'))).toEqual([]);
    expect(code).toBe(69);
  });

  it('goes on after the API was away for a while', async () => {
    const looks = [RUNNING, ...Array<'unreachable'>(30).fill('unreachable'), ended(0)];
    expect((await exec(RUNS, { looks })).code).toBe(0);
  });

  it('makes no Job where its network policy is refused, and says why', async () => {
    const stderr = 'networkpolicies is forbidden';
    const apply = { code: 1, stdout: '', stderr };
    const { code, err, calls, applied } = await exec(RUNS, { apply });
    expect(err).toContain(`kubectl apply: ${stderr}`);
    expect(applied.items.map(({ kind }) => kind)).toEqual(['NetworkPolicy']);
    expect(calls.filter((call) => call.startsWith('get pods'))).toEqual([]);
    expect(code).toBe(1);
  });

  it('says which Job it could not delete', async () => {
    const refused = { code: 1, stdout: '', stderr: 'forbidden' };
    const { code, err } = await exec(RUNS, { remove: [refused, refused] });
    expect(err).toMatch(/warning: Job \S+ could not be deleted \(forbidden\); Kubernetes removes/);
    expect(code).toBe(0);
  });

  it('needs a Deployment of the listener', async () => {
    const { code, err } = await exec(RUNS, { items: [] });
    expect(err).toContain('no Deployment has the ServiceAccount file-processing-sa');
    expect(code).toBe(1);
  });

  it.each([
    [['--', 'serve'], 'serve runs until a signal: it is what the Deployment does'],
    [['--', 'sh', '-c', 'env'], '"sh" is not a command of the listener'],
    [[], "missing required argument 'command'"],
    [['--deadline', '0', ...RUNS], '1 to 99999999 are allowed'],
    [['--', 'seed', 'x'.repeat(131_072)], 'an argument has 131072 bytes; at most 131071'],
  ])('refuses %j before it makes anything', async (parameters, message) => {
    const { code, err, calls } = await exec(parameters);
    expect(err).toContain(message);
    expect(calls.filter((call) => call.startsWith('apply'))).toEqual([]);
    expect(code).toBe(64);
  });
});

describe('a signal', () => {
  /** Sends it while the log is shown, or at a look. */
  async function interrupted(signal: EndSignal, looks: Cluster['looks'], when: 'logs' | 'sleep') {
    const takers: ((signal: EndSignal) => void)[] = [];
    const send = () => {
      for (const take of takers) take(signal);
      return undefined;
    };
    const result = await exec(
      RUNS,
      { ...(looks && { looks }), ...(when === 'logs' && { logs: send }) },
      {
        onSignal: (take) => {
          takers.push(take);
          return () => takers.splice(0);
        },
        clock: {
          now: () => new Date('2026-01-02T03:04:05Z'),
          sleep: async () => (when === 'sleep' ? send() : undefined),
        },
      },
    );
    return { ...result, takers };
  }

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)(
    '%s ends the command, shows what it says to that, and is the exit code %i',
    async (signal, expected) => {
      const { code, err, calls, takers } = await interrupted(signal, [RUNNING], 'logs');
      const after = calls.slice(calls.findIndex((call) => call.startsWith('delete')));
      expect(after[1]).toMatch(/^logs the-pod .* --since-time=2026-01-02T03:04:05\.000Z$/);
      expect(after[2]).toMatch(/^wait --for=delete job\/\S+ --timeout=60s$/);
      expect(err).toContain(`${signal}: Job `);
      expect(takers).toEqual([]);
      expect(code).toBe(expected);
    },
  );

  it('that comes before there is a pod deletes the Job too', async () => {
    const { code, calls } = await interrupted('SIGTERM', [undefined], 'sleep');
    expect(calls.some((call) => call.startsWith('delete job'))).toBe(true);
    expect(calls.some((call) => call.startsWith('logs'))).toBe(false);
    expect(code).toBe(143);
  });

  it('that comes when the command has ended leaves its exit code', async () => {
    const { code } = await interrupted('SIGTERM', [RUNNING, ended(2)], 'logs');
    expect(code).toBe(2);
  });
});
