import {
  areOtlpHeaders,
  isListenerVariable,
  LISTENER_VARIABLES,
  type ListenerVariable,
  overridesPod,
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

test.each(['public', 'information_schema', 'pg_catalog', 'Files', 'a-b', '1st', 'x'.repeat(45)])(
  '%s is not a schema of the listener',
  (name) => {
    expect(LISTENER_VARIABLES.DB_SCHEMA.kind.read(name)).toBeUndefined();
  },
);

test.each(['file_processing', '_1', 'x'.repeat(44)])('%s may be its schema', (name) => {
  expect(LISTENER_VARIABLES.DB_SCHEMA.kind.read(name)).toBe(name);
});

test.each([
  ['PORT', true],
  ['DB_PASSWORD_FILE', true],
  ['HTTPS_PROXY', true],
  ['https_proxy', true],
  ['PORT_FILE', false],
  ['constructor', false],
])('%s is filled by settings: %s', (name, expected) => {
  expect(isListenerVariable(name)).toBe(expected);
});

test.each([
  ['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', true],
  ['AWS_PROFILE', true],
  ['NODE_PATH', true],
  ['PATH', true],
  ['NODE_EXTRA_CA_CERTS', false],
  ['AWS_ENDPOINT_URL_SNS', false],
  ['TZ', false],
])('%s overrides what a pod is given: %s', (name, expected) => {
  expect(overridesPod(name)).toBe(expected);
});

test.each(['k=%ffhunter2', 'k=%0d%0ahunter2', 'k=%E2%82%AC'])(
  'headers for a collector that no program could send are refused: %s',
  (headers) => {
    expect(areOtlpHeaders(headers)).toBe(false);
    expect(areOtlpHeaders('k=a%20b%C3%A9')).toBe(true);
  },
);
