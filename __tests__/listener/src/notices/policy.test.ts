import { describe, expect, test } from 'vitest';
import {
  type Audience,
  DIGEST_MS,
  GIVE_UP_MS,
  nextMailAt,
  recipientsOf,
  stateOf,
  waitAfter,
} from '../../../../listener/src/notices/policy.ts';

describe('what is told of a judgement', () => {
  test.each([
    ['passed', null, null, 'passed'],
    ['warned', null, null, 'warned'],
    ['failed', null, null, 'failed'],
    ['unreadable', null, null, 'failed'],
    ['passed', null, 'failed', 'recovered'],
    ['warned', null, 'unreadable', 'recovered'],
    ['passed', null, 'warned', 'passed'],
    ['failed', null, 'failed', 'failed'],
    ['passed', 'failed', null, 'corrected'],
    ['failed', 'passed', 'failed', 'corrected'],
    ['unreadable', 'failed', null, 'corrected'],
    ['failed', 'failed', null, undefined],
    ['passed', 'passed', 'failed', undefined],
  ] as const)(
    '%s after %s, where the delivery before was %s: %s',
    (verdict, previous, before, state) => {
      expect(stateOf({ verdict, previous, before, overtaken: false })).toBe(state);
    },
  );

  test('nothing, where a later judgement had ended before', () => {
    const change = { verdict: 'failed', previous: null, before: null, overtaken: true } as const;
    expect(stateOf(change)).toBeUndefined();
  });
});

const PEOPLE: Audience = {
  states: ['failed', 'late'],
  operators: ['data@example.org'],
  mail: true,
  topicArn: undefined,
  webhooks: [],
};
const TOPIC = 'arn:aws:sns:us-east-1:123456789012:notices';

describe('who is told', () => {
  test('operators and the contact, where the state is asked for', () => {
    expect(recipientsOf('failed', 'ana@city.gov', PEOPLE)).toEqual([
      { way: 'email', target: 'data@example.org' },
      { way: 'email', target: 'ana@city.gov' },
    ]);
  });

  test('nobody of what is not asked for', () => {
    expect(recipientsOf('warned', 'ana@city.gov', PEOPLE)).toEqual([]);
  });

  test('an operator who is the contact too is told once', () => {
    expect(recipientsOf('late', 'Data@Example.org', PEOPLE)).toEqual([
      { way: 'email', target: 'data@example.org' },
    ]);
  });

  test('the topic of everything, since its subscriptions filter', () => {
    expect(recipientsOf('passed', undefined, { ...PEOPLE, topicArn: TOPIC })).toEqual([
      { way: 'sns', target: TOPIC },
    ]);
  });

  test('webhooks of what people are told of', () => {
    const webhooks = ['https://a.example/', 'https://b.example/'];
    const programs = { ...PEOPLE, mail: false, webhooks };
    expect(recipientsOf('failed', 'ana@city.gov', programs)).toEqual(
      webhooks.map((target) => ({ way: 'webhook', target })),
    );
  });

  test.each([
    'ana@city.gov\r\nBcc: eve@evil.example',
    'ana@city.gov, eve@evil.example',
    'Ana <ana@city.gov>',
    'ana',
    `${'a'.repeat(65)}@city.gov`,
  ])('nobody at %j, which is more or less than an address', (contact) => {
    expect(recipientsOf('failed', contact, { ...PEOPLE, operators: [] })).toEqual([]);
  });
});

describe('when', () => {
  const now = new Date('2026-11-30T12:00:00Z');

  test('the first mail to an address goes at once, the next one ten minutes after the last', () => {
    expect(nextMailAt(now, undefined)).toEqual(now);
    expect(nextMailAt(now, now).getTime() - now.getTime()).toBe(DIGEST_MS);
    expect(nextMailAt(now, new Date(now.getTime() - DIGEST_MS))).toEqual(now);
  });

  test('attempts are further and further apart, an hour at most', () => {
    const waits = [1, 2, 3, 8, 9, 1_000].map((attempts) => waitAfter(attempts) / 1000);
    expect(waits).toEqual([30, 60, 120, 3600, 3600, 3600]);
  });

  test('two days of an outage take fewer than 60 attempts', () => {
    let waited = 0;
    let attempts = 0;
    while (waited < GIVE_UP_MS) waited += waitAfter(++attempts);
    expect(attempts).toBeLessThan(60);
  });
});
