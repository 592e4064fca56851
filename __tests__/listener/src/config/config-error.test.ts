import { expect, test } from 'vitest';
import { ConfigError } from '../../../../listener/src/config/config-error.ts';

test('the message has one line a fault, with value, problem and what is allowed', () => {
  const error = new ConfigError([
    { variable: 'PORT', value: 'x', allowed: 'a number' },
    { variable: 'DB_HOST', problem: 'is required and not set', allowed: 'a host name' },
  ]);
  expect(error.message).toBe(
    [
      '2 faults in the environment:',
      '- PORT="x": not allowed; allowed: a number',
      '- DB_HOST: is required and not set; allowed: a host name',
    ].join('\n'),
  );
});
