import { expect, test } from 'vitest';
import { relaxAwsProvider } from './synthesized-stack.ts';

const requiring = (version: string) => ({
  terraform: { required_providers: { aws: { source: 'aws', version } } },
  resource: { aws_sns_topic: { events: { name: 'events' } } },
});

test('the relaxed stack differs in the constraint alone', () => {
  const relaxed = JSON.parse(relaxAwsProvider(JSON.stringify(requiring('~> 6.25'))));
  expect(relaxed).toEqual(requiring('>= 5.100.0, < 7.0.0'));
});

test('another constraint of the AWS provider is refused', () => {
  expect(() => relaxAwsProvider(JSON.stringify(requiring('6.25.0')))).toThrow(
    'terraform.required_providers.aws.version is "6.25.0", expected "~> 6.25"',
  );
});

test('a stack without the AWS provider is refused', () => {
  expect(() => relaxAwsProvider('{}')).toThrow(
    'terraform.required_providers.aws.version is undefined',
  );
});
