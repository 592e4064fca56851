import { describe, expect, it } from 'vitest';
import type { Runner } from '../../../../src/operations/runner.ts';
import { manage } from '../../../support/manage.ts';

const DIGEST = `sha256:${'f'.repeat(64)}`;
const KUBECTL = 'kubectl --namespace file-processing';

const DEPLOYMENT = {
  metadata: { name: 'file-processing-sns' },
  spec: {
    selector: { matchLabels: { app: 'file-processing-sns' } },
    template: {
      spec: {
        serviceAccountName: 'file-processing-sa',
        containers: [{ image: `r.example.gov/app@${DIGEST}` }],
      },
    },
  },
};

const RUNNING = {
  metadata: { name: 'pod-1', creationTimestamp: '2026-01-01T00:00:00Z' },
  status: {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses: [
      {
        name: 'sns-listener',
        ready: true,
        restartCount: 0,
        image: 'app',
        imageID: `app@${DIGEST}`,
      },
    ],
  },
};

const CRASHING = {
  metadata: { name: 'pod-2', creationTimestamp: '2026-01-02T00:00:00Z' },
  status: {
    phase: 'Pending',
    initContainerStatuses: [
      {
        name: 'migrate',
        ready: false,
        restartCount: 4,
        image: 'app',
        state: { waiting: { reason: 'CrashLoopBackOff' } },
      },
    ],
  },
};

interface Cluster {
  readonly pods?: readonly object[];
  readonly events?: readonly object[];
  /** Code that `rollout status` ends with. */
  readonly status?: number;
  /** What fails, as a part of its command. */
  readonly broken?: string;
}

/** Runs the command with a kubectl that answers for a cluster. */
async function rollout(parameters: readonly string[], cluster: Cluster = {}) {
  const calls: string[] = [];
  const kubeconfigs = new Set<string | undefined>();
  const run: Runner = async (program, given, options) => {
    const call = [program, ...given].join(' ');
    calls.push(call);
    if (program === 'kubectl') kubeconfigs.add(options?.env?.KUBECONFIG);
    if (cluster.broken && call.includes(cluster.broken)) {
      return { code: 1, stdout: '', stderr: 'forbidden' };
    }
    const answer = (stdout: string, code = 0) => ({ code, stdout, stderr: '' });
    const items = (list: readonly object[]) => answer(JSON.stringify({ items: list }));
    if (call.includes('get deployments')) return items([DEPLOYMENT]);
    if (call.includes('get pods')) return items(cluster.pods ?? [RUNNING]);
    if (call.includes('get events')) return items(cluster.events ?? []);
    if (call.includes('rollout status')) return answer('', cluster.status ?? 0);
    if (call.includes(' logs ')) return answer('password authentication failed\n');
    return answer('');
  };
  const result = await manage(['rollout', '--profile', '', ...parameters], { run });
  return { ...result, calls, kubeconfigs };
}

describe('manage rollout', () => {
  it('shows the pods with the digests that run', async () => {
    const { code, out, calls } = await rollout([]);
    expect(out).toContain(`pod-1  yes    Running  0         ${DIGEST}\n`);
    expect(calls).toContain(
      `${KUBECTL} rollout status deployment/file-processing-sns --timeout=900s`,
    );
    expect(calls.join('\n')).not.toContain('restart');
    expect(code).toBe(0);
  });

  it('acts on the cluster of the settings alone, whatever context the user has', async () => {
    const { calls, kubeconfigs } = await rollout(['restart']);
    const kubeconfig = /--kubeconfig (\S+)/.exec(calls[0] ?? '')?.[1];
    expect(calls[0]).toMatch(/^aws eks update-kubeconfig --name file-processing-cluster /);
    expect([...kubeconfigs]).toEqual([kubeconfig]);
  });

  it('restarts, then waits', async () => {
    const { calls } = await rollout(['restart', '--wait', '30']);
    const restart = calls.indexOf(`${KUBECTL} rollout restart deployment/file-processing-sns`);
    const status = calls.indexOf(
      `${KUBECTL} rollout status deployment/file-processing-sns --timeout=30s`,
    );
    expect(restart).toBeGreaterThan(0);
    expect(status).toBeGreaterThan(restart);
  });

  it('only looks with --wait 0, and tells that it is not done', async () => {
    const { code, calls, err } = await rollout(['--wait', '0']);
    expect(calls.join('\n')).not.toContain('rollout status');
    expect(err).toContain('The rollout of file-processing-sns is not done.');
    expect(code).toBe(1);
  });

  it('restarts nothing with --dry-run', async () => {
    const { code, calls, err } = await rollout(['restart', '--dry-run']);
    expect(calls.join('\n')).not.toContain('rollout restart');
    expect(err).toContain('Dry run: nothing was restarted.');
    expect(code).toBe(0);
  });

  it('tells why a rollout is not done, and ends with 1', async () => {
    const events = [
      {
        type: 'Warning',
        reason: 'BackOff',
        message: 'Back-off restarting failed container',
        lastTimestamp: '2026-01-02T00:00:00Z',
        involvedObject: { kind: 'Pod', name: 'file-processing-sns-x' },
      },
    ];
    const { code, out, err, calls } = await rollout([], {
      status: 1,
      pods: [CRASHING, RUNNING],
      events,
    });
    expect(out).toMatch(/pod-1 .*\npod-2 +no +CrashLoopBackOff +4 +not pulled yet\n/);
    expect(err).toContain('pod/file-processing-sns-x  BackOff  Back-off restarting');
    expect(calls.at(-1)).toBe(`${KUBECTL} logs pod-2 --container migrate --tail=10 --previous`);
    expect(err).toContain('Last lines of migrate in pod-2:\npassword authentication failed\n');
    expect(code).toBe(1);
  });

  it.each([
    ['migrate', 'initContainerStatuses'],
    ['sns-listener', 'containerStatuses'],
  ])(
    'shows the log of %s where that runs and waits, as for its database',
    async (name, statuses) => {
      const container = {
        name,
        ready: false,
        restartCount: 0,
        image: 'app',
        state: { running: {} },
      };
      const waiting = { ...CRASHING, status: { phase: 'Running', [statuses]: [container] } };
      const { calls } = await rollout([], { status: 1, pods: [waiting] });
      expect(calls).toContainEqual(
        expect.stringContaining(`logs pod-2 --container ${name} --tail`),
      );
      expect(calls).not.toContainEqual(expect.stringContaining('--previous'));
    },
  );

  it('tells programs the same', async () => {
    const { out } = await rollout(['--json'], { status: 1, pods: [CRASHING] });
    expect(JSON.parse(out)).toStrictEqual({
      deployment: 'file-processing-sns',
      image: `r.example.gov/app@${DIGEST}`,
      done: false,
      pods: [
        {
          pod: 'pod-2',
          ready: false,
          status: 'CrashLoopBackOff',
          restarts: 4,
          digest: '',
          failing: 'migrate',
        },
      ],
      warnings: [],
    });
  });

  it.each([
    ['update-kubeconfig', 69],
    ['get deployments', 69],
    ['rollout restart', 1],
  ])('stops where %s fails', async (broken, expected) => {
    const { code, err } = await rollout(['restart'], { broken });
    expect(err).toContain('forbidden');
    expect(code).toBe(expected);
  });

  it('refuses another action', async () => {
    const { code, err } = await rollout(['undo']);
    expect(err).toContain('Allowed choices are status, restart');
    expect(code).toBe(64);
  });
});
