import { expect, test } from 'vitest';
import { EXIT } from '../../../../../src/operations/exit-codes.ts';
import { refuse } from '../../../../../src/operations/terraform/guards/refusal.ts';

test('no reason, no refusal', () => {
  expect(() => refuse([])).not.toThrow();
});

test('every reason and every way out are named at once', () => {
  expect.assertions(1);
  try {
    refuse([
      { reason: 'one thing', next: 'do this' },
      { reason: 'another', next: 'do that' },
    ]);
  } catch (error) {
    expect(error).toMatchObject({
      code: EXIT.refused,
      message: 'refused: one thing\nrefused: another',
      next: 'do this\nnext: do that',
    });
  }
});
