import { describe, expect, it } from 'vitest';
import { checksOfListener } from '../../../../src/operations/doctor/checks-of-listener.ts';

describe('what the listener’s check printed', () => {
  it('becomes diagnoses that say where it was tried', () => {
    const printed = JSON.stringify([
      { name: 'database connection', ok: true, found: 'PostgreSQL 18' },
      { name: 'database schema', ok: false, found: 'old', next: 'migrate' },
    ]);
    expect(checksOfListener(printed, ' in a pod')).toEqual([
      { name: 'database connection in a pod', state: 'ok', found: 'PostgreSQL 18' },
      { name: 'database schema in a pod', state: 'red', found: 'old', next: 'migrate' },
    ]);
  });

  it.each(['', 'DB_HOST: is required', '{}'])('is nothing where it is %j', (printed) => {
    expect(checksOfListener(printed, '')).toEqual([]);
  });
});
