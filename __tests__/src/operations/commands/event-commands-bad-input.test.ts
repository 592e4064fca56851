import { expect, test } from 'vitest';
import type { AwsClients } from '../../../../src/operations/aws-clients.ts';
import { manage } from '../../../support/manage.ts';

const TOPIC = 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:topic';
const ENDPOINT = 'https://files.example.gov/';

/** A context that reaches nobody: bad input is told before anything is asked of AWS. */
const offline = {
  aws: () => {
    throw new Error('AWS was called');
  },
};

test.each([
  ['s3-configure-notifications --bucket Upper', '--bucket "Upper" is not a bucket name'],
  ['s3-configure-notifications --topic-arn topic', '--topic-arn "topic" is not the ARN'],
  ['s3-configure-notifications --region mars', 'mars'],
  ['s3-configure-notifications --environment nowhere', 'is not an environment'],
  [`sns-probe --topic-arn ${TOPIC} --region us-east-1`, 'contradicts the region of the topic'],
  ['queue-delete --queue old.fifo', '--queue "old.fifo" is not the name of a queue'],
  ['sns-subscribe', 'no endpoint was given'],
  ['sns-subscribe ftp://x/', 'has the scheme ftp'],
  [`sns-subscribe ${ENDPOINT} --wait soon`, 'whole number of seconds'],
  [`sns-subscribe ${ENDPOINT} --wait 3601`, 'whole number of seconds'],
  [`sns-subscribe ${ENDPOINT} --dead-letter-arn queue`, '--dead-letter-arn "queue" is not the ARN'],
  [`sns-subscribe ${ENDPOINT} --filter-policy []`, 'is not a JSON object'],
  [`sns-subscribe ${ENDPOINT} --filter-scope Body`, 'Allowed choices are'],
  ['sns-set-topic-policy --account 42', '--account "42" is not an account'],
  ['sns-set-topic-policy --bucket a..b', '--bucket "a..b" is not a bucket name'],
  ['sns-publish', "missing required argument 'key'"],
  [`sns-publish ${'k'.repeat(1025)}`, 'the key is longer than 1024 bytes'],
  ['sns-publish a.csv --localstack Upper', '--perspective "Upper" must be at most 40'],
  ['setup-localstack http://host', 'the host "http://host" must be a name'],
  ['setup-localstack host 0', 'the port "0" must be 1 to 65535'],
  ['setup-localstack host 65536', 'the port "65536" must be 1 to 65535'],
  ['setup-localstack --perspective Data', '--perspective "Data" must be at most 40'],
  ['setup-localstack --bucket drop-box --bucket Upper', '--bucket "Upper" is not a bucket name'],
  ['setup-localstack --endpoint localhost:4566', '--endpoint "localhost:4566" is not allowed'],
])('manage %s ends with 64 and says why', async (line, problem) => {
  const { code, err, out } = await manage(line.split(' '), offline);
  expect([code, out]).toEqual([64, '']);
  expect(err).toContain(problem);
});

/** A context in which nobody has signed in: every client is there, and fails once it asks AWS. */
const client = { send: () => Promise.reject(new Error('AWS was asked')) };
const signedOut = {
  aws: () => new Proxy({}, { get: () => async () => client }) as AwsClients,
};

test.each([
  ['sns-publish a.csv --environment government', 'the settings name several buckets'],
  ['sns-set-topic-policy --environment government', 'the settings name several buckets'],
  ['s3-configure-notifications --suffix .csv --environment government', 'apply to one bucket'],
  ['s3-configure-notifications --bucket other --environment government', 'none of the buckets'],
  ['s3-configure-notifications --eventbridge', 'no rule of etl-playground takes events'],
  ['s3-configure-notifications --print', 'no bucket of the tfvars is of another account'],
  ['sqs-redrive --queue old', 'one of file-processing-topic-dead-letter is needed'],
  ['verify-irsa --other-bucket Upper', '--other-bucket "Upper" is not a bucket name'],
  ['db-connect --exec --environment government', '--exec needs --ca-file'],
  ['db-restore a_snapshot --environment government', 'letters, digits, hyphens and colons'],
])('manage %s is told so before anybody has signed in', async (line, problem) => {
  const { code, err, out } = await manage(line.split(' '), signedOut);
  expect(out).toBe('');
  expect(err).toContain(problem);
  expect(code).toBe(problem.startsWith('no rule') ? 77 : 64);
});

test.each([
  ['SNS_TOPIC_ARN', 'sns-probe'],
  ['BUCKET', 's3-configure-notifications'],
  ['ACCOUNT_ID', 'sns-set-topic-policy'],
])('a bad %s is told by its name', async (name, command) => {
  const { code, err } = await manage([command], { ...offline, env: { [name]: 'No Good' } });
  expect(code).toBe(64);
  expect(err).toContain(`${name} "No Good"`);
});

test('an endpoint of AWS itself is refused', async () => {
  const env = { AWS_ENDPOINT_URL: 'https://sns.us-gov-west-1.amazonaws.com' };
  const { code, err } = await manage(['setup-localstack'], { ...offline, env });
  expect(code).toBe(77);
  expect(err).toContain('is AWS itself');
});
