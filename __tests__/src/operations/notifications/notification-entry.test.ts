import { expect, test } from 'vitest';
import {
  entriesOf,
  entryText,
  type NotificationEntry,
  overlap,
} from '../../../../src/operations/notifications/notification-entry.ts';

const entry = (parts: Partial<NotificationEntry>): NotificationEntry => ({
  kind: 'topic',
  id: 'one',
  destination: 'arn:aws:sns:us-east-1:123456789012:topic',
  events: ['s3:ObjectCreated:*'],
  prefix: '',
  suffix: '',
  ...parts,
});

test.each([
  ['the same keys', {}, {}],
  ['one prefix inside the other', { prefix: 'a/' }, { prefix: 'a/b/' }],
  ['no filter against any', {}, { prefix: 'a/', suffix: '.csv' }],
  ['one suffix inside the other', { suffix: '.csv' }, { suffix: 'l.csv' }],
  ['prefix and suffix that one key can have', { prefix: 'a/' }, { suffix: '.csv' }],
  ['an event against its wildcard', { events: ['s3:ObjectCreated:Put'] }, {}],
  ['one event out of several', { events: ['s3:ObjectRemoved:*', 's3:ObjectCreated:Copy'] }, {}],
])('entries overlap: %s', (_, one, other) => {
  expect(overlap(entry(one), entry(other))).toBe(true);
  expect(overlap(entry(other), entry(one))).toBe(true);
});

test.each([
  ['other prefixes', { prefix: 'a/' }, { prefix: 'b/' }],
  ['other suffixes below one prefix', { suffix: '.csv' }, { suffix: '.json' }],
  ['other events', { events: ['s3:ObjectRemoved:*'] }, {}],
  [
    'other events of a kind',
    { events: ['s3:ObjectCreated:Put'] },
    { events: ['s3:ObjectCreated:Copy'] },
  ],
])('entries stand beside each other: %s', (_, one, other) => {
  expect(overlap(entry(one), entry(other))).toBe(false);
  expect(overlap(entry(other), entry(one))).toBe(false);
});

test('entries of all kinds are read, with filter names as S3 answers them', () => {
  const Events = ['s3:ObjectCreated:*' as const];
  const FilterRules = [
    { Name: 'Prefix' as 'prefix', Value: 'a/' },
    { Name: 'Suffix' as 'suffix', Value: '.csv' },
  ];
  expect(
    entriesOf({
      TopicConfigurations: [
        { Id: 't', TopicArn: 'topic', Events, Filter: { Key: { FilterRules } } },
      ],
      QueueConfigurations: [{ Id: 'q', QueueArn: 'queue', Events }],
      LambdaFunctionConfigurations: [{ LambdaFunctionArn: 'function', Events }],
    }),
  ).toStrictEqual([
    { kind: 'topic', id: 't', destination: 'topic', events: Events, prefix: 'a/', suffix: '.csv' },
    { kind: 'queue', id: 'q', destination: 'queue', events: Events, prefix: '', suffix: '' },
    { kind: 'function', id: '', destination: 'function', events: Events, prefix: '', suffix: '' },
  ]);
});

test('an entry is one line', () => {
  expect(entryText(entry({ prefix: 'a/', suffix: '.csv', destination: 'topic' }))).toBe(
    'one: s3:ObjectCreated:* of a/*.csv -> topic topic',
  );
});
