import {
  isListenerVariable,
  LISTENER_VARIABLES,
  type ListenerVariable,
} from '@file-processing/contract/listener-variables.ts';
import { expect, test } from 'vitest';

const table: [string, ListenerVariable<unknown>][] = Object.entries(LISTENER_VARIABLES);

test.each(table)('the example of %s is allowed', (_name, { kind, example }) => {
  expect(kind.read(example)).toBeDefined();
});

test.each(table.filter(([, variable]) => variable.default !== undefined))(
  'the default of %s is allowed',
  (_name, variable) => {
    expect(variable.kind.read(variable.default ?? '')).toBeDefined();
  },
);

test.each([
  'arn:aws:sqs:us-east-1:123456789012:queue',
  'arn:aws:sns:us-east-1:123:topic',
  'arn:aws:sns:us-east-1:123456789012:topic.fifo',
  'topic',
])('%s is not a topic that S3 and HTTP can use', (arn) => {
  expect(LISTENER_VARIABLES.SNS_TOPIC_ARNS.kind.read(arn)).toBeUndefined();
});

test.each([
  'arn:aws:sns:us-east-1:000000000000:file-processing-topic',
  'arn:aws-us-gov:sns:us-gov-west-1:123456789012:t',
  'arn:aws-cn:sns:cn-north-1:123456789012:t_1',
])('%s is a topic', (arn) => {
  expect(LISTENER_VARIABLES.SNS_TOPIC_ARNS.kind.read(arn)).toMatchObject([{ arn }]);
});

test.each([
  ['PORT', true],
  ['DB_PASSWORD_FILE', true],
  ['HTTPS_PROXY', true],
  ['PORT_FILE', false],
  ['constructor', false],
])('%s is filled by settings: %s', (name, expected) => {
  expect(isListenerVariable(name)).toBe(expected);
});
