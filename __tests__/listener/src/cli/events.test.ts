import { expect, test } from 'vitest';
import { readEvents } from '../../../../listener/src/cli/events.ts';
import { eventOf } from '../../support/cli.ts';

const keysOf = (text: string) => readEvents(text, 'reports/').objects.map(({ key }) => key);

test('an S3 event is read, its keys decoded', () => {
  expect(keysOf(eventOf('bucket', 'a+b.csv', 'c%2Bd.csv'))).toEqual(['a b.csv', 'c+d.csv']);
});

test('an SNS message is opened', () => {
  const message = { Type: 'Notification', Message: eventOf('bucket', 'a.csv') };
  expect(keysOf(JSON.stringify(message))).toEqual(['a.csv']);
});

test('a JSON list holds several events', () => {
  expect(keysOf(`[${eventOf('bucket', 'a')}, ${eventOf('bucket', 'b')}]`)).toEqual(['a', 'b']);
});

test('a JSON event may spread over lines', () => {
  const text = JSON.stringify(JSON.parse(eventOf('bucket', 'a')), null, 2);
  expect(keysOf(text)).toEqual(['a']);
});

test('lines hold one event each', () => {
  expect(keysOf(`${eventOf('bucket', 'a')}\r\n\n${eventOf('bucket', 'b')}\n`)).toEqual(['a', 'b']);
});

test('what is not a delivery is ignored with the reason', () => {
  const { objects, ignored } = readEvents(eventOf('bucket', 'reports/a.json'), 'reports/');
  expect(objects).toEqual([]);
  expect(ignored).toEqual([expect.stringContaining('report prefix')]);
});

test.each(['', 'no JSON', 'null', '{"Records":[]}', '{}\n{'])('%j is not an event', (text) => {
  expect(() => readEvents(text, '')).toThrow(/^not an S3 event/);
});

test('every event that is none is named', () => {
  expect(() => readEvents('[{}, {"Records":[]}]', '')).toThrow(/event 1: .*; event 2: /);
});
