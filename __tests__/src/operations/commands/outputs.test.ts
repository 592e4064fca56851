import { expect, test } from 'vitest';
import { outputsTable, shownOutputs } from '../../../../src/operations/commands/outputs.ts';

const OUTPUTS = {
  vpc_id: { value: 'vpc-1', sensitive: false },
  private_subnet_ids: { value: ['subnet-1', 'subnet-2'], sensitive: false },
  password: { value: 'hunter2', sensitive: true },
  queue_url: { value: '', sensitive: false },
};

test('a line each, in columns, a list with commas', () => {
  expect(outputsTable(OUTPUTS)).toBe(
    [
      'vpc_id              vpc-1',
      'private_subnet_ids  subnet-1, subnet-2',
      'password            (sensitive)',
      'queue_url',
      '',
    ].join('\n'),
  );
});

test('a sensitive value is hidden in JSON too', () => {
  expect(shownOutputs(OUTPUTS)).toMatchObject({ password: '(sensitive)' });
});

test('no outputs, no lines', () => {
  expect(outputsTable({})).toBe('');
});
