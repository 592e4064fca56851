import type { NotificationConfiguration } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import {
  mergeNotifications,
  type WantedNotifications,
} from '../../../../src/operations/notifications/merge-notifications.ts';

const OURS = 'arn:aws:sns:us-east-1:123456789012:ours';
const THEIRS = 'arn:aws:sns:us-east-1:123456789012:theirs';
const created = 's3:ObjectCreated:*' as const;

const merge = (current: NotificationConfiguration, wanted: Partial<WantedNotifications> = {}) =>
  mergeNotifications(current, {
    topicArn: OURS,
    prefixes: ['a/'],
    suffix: '.csv',
    replace: [],
    ...wanted,
  });
const withPrefix = (Value: string) => ({
  Filter: { Key: { FilterRules: [{ Name: 'prefix' as const, Value }] } },
});

test('an empty configuration gets an entry for each prefix', () => {
  const { configuration, removed } = merge({}, { prefixes: ['a/', 'b/'] });
  expect(removed).toEqual([]);
  expect(configuration.TopicConfigurations).toEqual(
    ['a/', 'b/'].map((prefix) => ({
      Id: `file-processing:${prefix}`,
      TopicArn: OURS,
      Events: [created],
      Filter: {
        Key: {
          FilterRules: [
            { Name: 'prefix', Value: prefix },
            { Name: 'suffix', Value: '.csv' },
          ],
        },
      },
    })),
  );
});

test('filters are percent-encoded, and compared by what they stand for', () => {
  const wanted = { prefixes: ['year=2026/a b/'], suffix: '' };
  const { configuration } = merge({}, wanted);
  expect(configuration.TopicConfigurations).toMatchObject([withPrefix('year%3D2026/a+b/')]);
  const other = {
    TopicConfigurations: [
      { Id: 'mine', TopicArn: OURS, Events: [created], ...withPrefix('year%3D2026/a%20b/') },
    ],
  };
  expect(merge(other, wanted).added).toStrictEqual([]);
});

test('an entry of ours whose filter is not encoded is put anew', () => {
  const stale = {
    ...{ Id: 'file-processing:year=2026/', TopicArn: OURS, Events: [created] },
    ...withPrefix('year=2026/'),
  };
  const { configuration, added, removed, kept } = merge(
    { TopicConfigurations: [stale] },
    { prefixes: ['year=2026/'], suffix: '' },
  );
  expect(configuration.TopicConfigurations).toMatchObject([withPrefix('year%3D2026/')]);
  expect([added, removed, kept].map(({ length }) => length)).toEqual([1, 1, 0]);
});

test('no prefix and no suffix are not a filter', () => {
  const { configuration } = merge({}, { prefixes: [''], suffix: '' });
  expect(configuration.TopicConfigurations).toStrictEqual([
    { Id: 'file-processing:', TopicArn: OURS, Events: [created] },
  ]);
});

test('what others configured is handed on as it is, EventBridge included', () => {
  const theirs: NotificationConfiguration = {
    TopicConfigurations: [{ Id: 't', TopicArn: THEIRS, Events: ['s3:ObjectRemoved:*'] }],
    QueueConfigurations: [{ Id: 'q', QueueArn: 'queue', Events: [created], ...withPrefix('q/') }],
    LambdaFunctionConfigurations: [
      { Id: 'f', LambdaFunctionArn: 'function', Events: [created], ...withPrefix('f/') },
    ],
    EventBridgeConfiguration: {},
  };
  const { configuration, conflicts } = merge(theirs);
  expect(conflicts).toEqual([]);
  expect({
    ...configuration,
    TopicConfigurations: configuration.TopicConfigurations?.slice(0, 1),
  }).toEqual(theirs);
});

test('merging what was merged changes nothing', () => {
  const first = merge({}, { prefixes: ['a/', 'b/'] });
  const second = merge(first.configuration, { prefixes: ['a/', 'b/'] });
  expect(second).toMatchObject({ added: [], removed: [], conflicts: [] });
  expect(second.configuration).toEqual(first.configuration);
});

test('an entry that says the same under the id of others will do', () => {
  const current = {
    TopicConfigurations: [
      { Id: 'by-hand', TopicArn: OURS, Events: [created], ...withPrefix('a/') },
    ],
  };
  const { added, removed, configuration } = merge(current, { suffix: '' });
  expect({ added, removed }).toStrictEqual({ added: [], removed: [] });
  expect(configuration.TopicConfigurations).toEqual(current.TopicConfigurations);
});

test('our entry of another suffix is replaced', () => {
  const { configuration } = merge(merge({}, { suffix: '' }).configuration);
  expect(configuration.TopicConfigurations).toHaveLength(1);
  expect(configuration).toEqual(merge({}).configuration);
});

test.each([
  ['a topic', { TopicConfigurations: [{ Id: 'x', TopicArn: THEIRS, Events: [created] }] }],
  ['a queue', { QueueConfigurations: [{ Id: 'x', QueueArn: 'queue', Events: [created] }] }],
  [
    'a function',
    {
      LambdaFunctionConfigurations: [{ Id: 'x', LambdaFunctionArn: 'function', Events: [created] }],
    },
  ],
])('an overlapping entry of %s is a conflict, until it is replaced', (_, current) => {
  expect(merge(current).conflicts).toMatchObject([
    { wanted: { id: 'file-processing:a/' }, other: { id: 'x' } },
  ]);
  const replaced = merge(current, { replace: ['x'] });
  expect(replaced).toMatchObject({ conflicts: [], removed: [{ id: 'x' }] });
});

test("another environment's entry is not taken for ours, though its id is one of ours", () => {
  const current = {
    TopicConfigurations: [
      { Id: 'file-processing:a/', TopicArn: THEIRS, Events: [created], ...withPrefix('a/') },
    ],
  };
  expect(merge(current)).toMatchObject({
    removed: [],
    conflicts: [{ other: { destination: THEIRS } }],
  });
});

test('an id to replace that is not there is named', () => {
  expect(merge({}, { replace: ['nobodys'] }).unknownIds).toEqual(['nobodys']);
});

test('EventBridge is switched on beside what others have, in the place of our entries', () => {
  const current = {
    TopicConfigurations: [
      { Id: 'file-processing:a/', TopicArn: OURS, Events: [created], ...withPrefix('a/') },
      { Id: 'mine', TopicArn: THEIRS, Events: [created], ...withPrefix('b/') },
    ],
  };
  const { configuration, addsEventBridge, removed, conflicts } = merge(current, {
    prefixes: [],
    eventBridge: true,
  });
  expect(configuration.EventBridgeConfiguration).toEqual({});
  expect(configuration.TopicConfigurations).toMatchObject([{ Id: 'mine' }]);
  expect([addsEventBridge, removed.length, conflicts]).toEqual([true, 1, []]);
});

test('EventBridge that is on stays on, wanted or not', () => {
  for (const eventBridge of [true, false]) {
    const current = { EventBridgeConfiguration: {} };
    const { configuration, addsEventBridge } = merge(current, { eventBridge });
    expect([configuration.EventBridgeConfiguration, addsEventBridge]).toEqual([{}, false]);
  }
});
