import { describe, expect, it } from 'vitest';
import {
  checksOfListener,
  diagnose,
  diagnosisTable,
} from '../../../../src/operations/doctor/diagnosis.ts';
import { OperationError } from '../../../../src/operations/operation-error.ts';

describe('a diagnosis', () => {
  it('is red where looking failed, with what to do', async () => {
    const failing = async () => {
      throw new OperationError('away', { next: 'wait' });
    };
    expect(await diagnose('bucket', failing)).toStrictEqual({
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

describe('what the listener’s check printed', () => {
  it('becomes diagnoses that say where it was tried', () => {
    const printed = JSON.stringify([
      { name: 'database connection', ok: true, found: 'PostgreSQL 18' },
      { name: 'database schema', ok: false, found: 'old', next: 'migrate' },
    ]);
    expect(checksOfListener(printed, ' in a pod')).toStrictEqual([
      { name: 'database connection in a pod', state: 'ok', found: 'PostgreSQL 18' },
      { name: 'database schema in a pod', state: 'red', found: 'old', next: 'migrate' },
    ]);
  });

  it.each(['', 'DB_HOST: is required', '{}'])('is nothing where it is %j', (printed) => {
    expect(checksOfListener(printed, '')).toEqual([]);
  });
});
