import { expect, test } from 'vitest';
import { allowedTopics } from '../../../../listener/src/serve/topics.ts';

test('an ARN is taken apart', () => {
  const arn = 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:files';
  expect(allowedTopics([arn])).toMatchObject([{ arn, region: 'us-gov-west-1', name: 'files' }]);
});

test('every ARN that is none is named', () => {
  expect(() => allowedTopics(['arn:a', 'arn:b'])).toThrow(/arn:a[\s\S]*arn:b/);
});
