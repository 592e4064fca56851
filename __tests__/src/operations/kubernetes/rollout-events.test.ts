import { describe, expect, it } from 'vitest';
import {
  type Event,
  eventTable,
  warningsOf,
} from '../../../../src/operations/kubernetes/rollout-events.ts';

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
