import { describe, expect, it } from 'vitest';
import {
  type Event,
  eventTable,
  type Pod,
  podStates,
  podTable,
  warningsOf,
} from '../../../../src/operations/kubernetes/rollout-pods.ts';

const DIGEST = `sha256:${'e'.repeat(64)}`;

const CONTAINER = { name: 'sns-listener', ready: true, restartCount: 0, image: 'app:1' };

function pod(status: Pod['status'], metadata: Partial<Pod['metadata']> = {}): Pod {
  return { metadata: { name: 'a', ...metadata }, status };
}

const stateOf = (status: Pod['status'], metadata: Partial<Pod['metadata']> = {}) =>
  podStates([pod(status, metadata)])[0];

describe('the state of a pod', () => {
  it('tells the digest that runs', () => {
    const status = {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [
        { ...CONTAINER, imageID: `r.example.gov/app@${DIGEST}`, restartCount: 2 },
      ],
    };
    expect(stateOf(status)).toStrictEqual({
      pod: 'a',
      ready: true,
      status: 'Running',
      restarts: 2,
      digest: DIGEST,
    });
  });

  it('tells why a container does not start, and which', () => {
    const waiting = {
      ...CONTAINER,
      ready: false,
      state: { waiting: { reason: 'ImagePullBackOff' } },
    };
    expect(stateOf({ phase: 'Pending', containerStatuses: [waiting] })).toMatchObject({
      ready: false,
      status: 'ImagePullBackOff',
      digest: '',
      failing: 'sns-listener',
    });
  });

  it('tells of a migration that failed', () => {
    const migrate = {
      ...CONTAINER,
      name: 'migrate',
      restartCount: 3,
      state: { terminated: { reason: 'Error' } },
    };
    const later = { ...CONTAINER, state: { waiting: { reason: 'PodInitializing' } } };
    const status = {
      phase: 'Pending',
      initContainerStatuses: [migrate],
      containerStatuses: [later],
    };
    expect(stateOf(status)).toMatchObject({ status: 'Error', failing: 'migrate', restarts: 3 });
  });

  it('is not a failure while it starts, nor when its migration is done', () => {
    const status = {
      phase: 'Pending',
      initContainerStatuses: [{ ...CONTAINER, state: { terminated: { reason: 'Completed' } } }],
      containerStatuses: [{ ...CONTAINER, state: { waiting: { reason: 'ContainerCreating' } } }],
    };
    expect(stateOf(status)).toMatchObject({ status: 'Pending' });
    expect(stateOf(status)).not.toHaveProperty('failing');
  });

  it('tells that no node takes it', () => {
    const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }];
    expect(stateOf({ phase: 'Pending', conditions })).toMatchObject({ status: 'Unschedulable' });
  });

  it('tells that it goes', () => {
    expect(stateOf({ phase: 'Running' }, { deletionTimestamp: 'now' })).toMatchObject({
      status: 'Terminating',
    });
  });
});

it('pods are listed oldest first', () => {
  const pods = [
    pod({}, { name: 'new', creationTimestamp: '2026-01-02T00:00:00Z' }),
    pod({}, { name: 'old', creationTimestamp: '2026-01-01T00:00:00Z' }),
  ];
  expect(podStates(pods).map((state) => state.pod)).toEqual(['old', 'new']);
});

it('the table has a line each', () => {
  const state = { pod: 'a', ready: false, status: 'Pending', restarts: 0, digest: '' };
  expect(podTable([state])).toBe(
    'POD  READY  STATUS   RESTARTS  IMAGE\na    no     Pending  0         not pulled yet\n',
  );
});

function event(name: string, at: string, type = 'Warning'): Event {
  const involvedObject = { kind: 'Pod', name };
  return {
    type,
    reason: 'Failed',
    message: ` no\n image ${at} `,
    lastTimestamp: at,
    involvedObject,
  };
}

describe('the warnings of a rollout', () => {
  it('are those of the Deployment and what it made, the newest last', () => {
    const events = [
      event('app-2', '2026-01-01T00:00:03Z'),
      event('app', '2026-01-01T00:00:01Z'),
      event('application-1', '2026-01-01T00:00:02Z'),
      event('app-1', '2026-01-01T00:00:02Z', 'Normal'),
    ];
    expect(warningsOf(events, 'app').map((one) => one.involvedObject.name)).toEqual([
      'app',
      'app-2',
    ]);
  });

  it('are the newest five, also by the newer field of the time', () => {
    const events = [1, 2, 3, 4, 5, 6].map((second) => ({
      ...event(`app-${second}`, ''),
      lastTimestamp: null,
      eventTime: `2026-01-01T00:00:0${second}.000000Z`,
    }));
    expect(warningsOf(events.toReversed(), 'app').map((one) => one.involvedObject.name)).toEqual([
      'app-2',
      'app-3',
      'app-4',
      'app-5',
      'app-6',
    ]);
  });

  it('are a line each', () => {
    expect(eventTable([event('app-1', '1')])).toBe('pod/app-1  Failed  no image 1\n');
  });
});
