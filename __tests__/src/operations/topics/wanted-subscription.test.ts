import { expect, test } from 'vitest';
import {
  attributesToSet,
  checkEndpoint,
  checkFilterPolicy,
  NOT_RAW,
  redriveTo,
} from '../../../../src/operations/topics/wanted-subscription.ts';

test.each([
  ['https://files.example.gov/', 'https'],
  ['HTTPS://files.example.gov/sns?tenant=1', 'https'],
  ['http://127.0.0.1:8080/', 'http'],
])('the protocol of %s is %s', (endpoint, protocol) => {
  expect(checkEndpoint(endpoint)).toStrictEqual({ protocol, endpoint });
});

test.each([
  [undefined, 'no endpoint was given'],
  ['', 'no endpoint was given'],
  ['files.example.gov', 'is not a URL'],
  ['ftp://files.example.gov/', 'has the scheme ftp'],
  ['https://files.example.gov/#top', 'has a fragment'],
])('the endpoint %j is refused: %s', (endpoint, problem) => {
  expect(() => checkEndpoint(endpoint)).toThrow(problem);
});

test('an endpoint with a password is refused without repeating it', () => {
  const check = () => checkEndpoint('https://user:marker@files.example.gov/');
  expect(check).toThrow('has a user name or password');
  expect(check).not.toThrow('marker');
});

test.each(['', '{', '[]', 'null', '1'])('the filter policy %j is refused', (policy) => {
  expect(() => checkFilterPolicy(policy)).toThrow('is not a JSON object');
});

test('nothing is set on a subscription that has all, though SNS writes the JSON with blanks', () => {
  const existing = {
    RawMessageDelivery: 'false',
    RedrivePolicy: '{ "deadLetterTargetArn": "queue" }',
  };
  expect(
    attributesToSet(existing, { asked: { ...NOT_RAW, ...redriveTo('queue') }, defaults: {} }),
  ).toEqual({});
});

test('a dead-letter queue by default leaves one that others have set', () => {
  const wanted = { asked: NOT_RAW, defaults: redriveTo('ours') };
  expect(attributesToSet({ ...NOT_RAW, ...redriveTo('theirs') }, wanted)).toEqual({});
  expect(attributesToSet(NOT_RAW, wanted)).toEqual(redriveTo('ours'));
});
