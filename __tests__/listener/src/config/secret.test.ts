import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { Secret } from '../../../../listener/src/config/secret.ts';

test.each([
  ['JSON', (secret: Secret) => JSON.stringify({ secret })],
  ['a template', (secret: Secret) => `${secret}`],
  ['the console', (secret: Secret) => inspect({ secret }, { depth: 9, showHidden: true })],
])('%s does not show a secret', (_where, show) => {
  expect(show(new Secret('geheim'))).not.toContain('geheim');
});

test('a secret is given out when asked', () => {
  expect(new Secret('geheim').reveal()).toBe('geheim');
});
