import { expect, it } from 'vitest';
import { addBuildArgument } from '../../../../src/operations/image/build-arguments.ts';

it('adds to those before; a value may hold =', () => {
  expect(addBuildArgument('NODE_IMAGE=a@b=c', { A: '1' })).toEqual({ A: '1', NODE_IMAGE: 'a@b=c' });
});

it('takes an empty value', () => {
  expect(addBuildArgument('RDS_CA_BUNDLE_URL=')).toEqual({ RDS_CA_BUNDLE_URL: '' });
});

it.each(['NODE_IMAGE', '=x', 'a-b=c', ''])("refuses '%s'", (text) => {
  expect(() => addBuildArgument(text)).toThrow('--build-arg must be NAME=value');
});

it.each(['DB_PASSWORD=marker', 'npm_token=marker', 'CLIENT_SECRET=marker'])(
  'refuses a secret and does not repeat it',
  (text) => {
    expect(() => addBuildArgument(text)).toThrow(/^--build-arg \w+ would put a secret into/);
    expect(() => addBuildArgument(text)).not.toThrow('marker');
  },
);
