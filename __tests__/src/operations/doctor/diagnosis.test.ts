import { describe, expect, it } from 'vitest';
import { diagnose, diagnosisTable } from '../../../../src/operations/doctor/diagnosis.ts';
import { OperationError } from '../../../../src/operations/operation-error.ts';

describe('a diagnosis', () => {
  it('is red where looking failed, with what to do', async () => {
    const failing = async () => {
      throw new OperationError('away', { next: 'wait' });
    };
    expect(await diagnose('bucket', failing)).toEqual({
      name: 'bucket',
      state: 'red',
      found: 'away',
      next: 'wait',
    });
  });

  it('does not hide an error that nobody foresaw', async () => {
    const failing = async () => {
      throw new RangeError('a bug');
    };
    await expect(diagnose('bucket', failing)).rejects.toThrow('a bug');
  });

  it('is a line, and one more for what to do', () => {
    expect(
      diagnosisTable([
        { name: 'aws', state: 'ok', found: '2.31' },
        { name: 'bucket', state: 'red', found: 'none', next: 'make it' },
      ]),
    ).toBe('ok       aws     2.31\nRED      bucket  none\n                 next: make it\n');
  });
});
