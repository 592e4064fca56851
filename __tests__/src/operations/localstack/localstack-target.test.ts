import { expect, test } from 'vitest';
import {
  DEFAULT_PERSPECTIVE,
  perspectiveOf,
} from '../../../../src/operations/localstack/localstack-target.ts';

test.each([
  [DEFAULT_PERSPECTIVE, 'etl-file-processing-client-etl', 'file-processing-topic'],
  ['data_pipeline', 'etl-data-pipeline-client-etl', 'data-pipeline-topic'],
])('%s has the bucket %s and the topic %s', (name, bucket, topicName) => {
  expect(perspectiveOf(name)).toStrictEqual({ bucket, topicName });
});

test.each(['', 'Data', 'data-pipeline', '_data', 'data_', 'a'.repeat(41), '../x'])(
  '%j is not a perspective',
  (name) => {
    expect(() => perspectiveOf(name)).toThrow(`--perspective ${JSON.stringify(name)}`);
  },
);
