import { expect, test } from 'vitest';
import { judgesFiles, takesMessages } from '../../../../listener/src/serve/role.ts';

test.each([
  ['intake', true, false],
  ['worker', false, true],
  ['both', true, true],
] as const)('%s takes messages: %s, judges files: %s', (role, takes, judges) => {
  expect([takesMessages(role), judgesFiles(role)]).toEqual([takes, judges]);
});
