import { describe, expect, it } from 'vitest';
import type { Classification } from '../../../quality/classification.ts';
import { inspectBytes } from '../inspect-bytes.ts';

function faultsOf(
  values: readonly string[],
  { name = 'a', classification = 'public' as Classification } = {},
) {
  const schema = { fields: [{ name, type: 'string' as const, classification }] };
  const report = inspectBytes(`${[name, ...values].join('\n')}\n`, { expectation: { schema } });
  expect(report.faults.filter(({ type }) => type !== 'sensitive-column')).toStrictEqual([]);
  return report.faults;
}

describe('a public column', () => {
  it.each([
    ['Social Security numbers', '123-45-6789'],
    ['e-mail addresses', 'ana@example.org'],
    ['telephone numbers', '(505) 555-0123'],
    ['telephone numbers', '+1 505-555-0123'],
    ['telephone numbers', '+49 30 901820'],
    ['numbers of payment cards', '4111 1111 1111 1111'],
  ])('of what looks like %s is named with the count, and without a value', (what, value) => {
    const [fault, ...others] = faultsOf([value, value]);
    expect(others).toStrictEqual([]);
    expect(fault).toMatchObject({ type: 'sensitive-column', field: 1, label: 'a', value: null });
    expect(fault?.message).toBe(`2 of 2 values look like ${what}; the column is declared public.`);
  });

  it.each([
    ['birth_date', '1980-01-02', 'dates of birth'],
    ['BirthYear', '1980', 'dates of birth'],
    ['dob', '01/02/1980', 'dates of birth'],
    ['driver_license', 'D1234567', "numbers of driver's licences"],
    ['License_No', '012345678', "numbers of driver's licences"],
  ])('that is called %s is named for what its name says', (name, value, what) => {
    expect(faultsOf([value], { name })[0]?.message).toContain(what);
  });

  it.each([
    ['000-12-3456'],
    ['666-12-3456'],
    ['912-12-3456'],
    ['123-45-0000'],
    ['K1234'],
    ['1980-01-02'],
    ['4111111111111112'],
    ['a@b'],
    ['505-155-0123'],
    [`${'x'.repeat(200)}@example.org`],
  ])('of %s is not', (value) => {
    expect(faultsOf([value])).toStrictEqual([]);
  });

  it('is not named for few of many values', () => {
    const ids = Array.from({ length: 20 }, (_, index) => `K${index}`);
    expect(faultsOf([...ids, 'ana@example.org'])).toStrictEqual([]);
  });

  it('is not named for numbers of which one in ten happens to have a check digit', () => {
    const ids = Array.from({ length: 50 }, (_, index) => `${4_000_000_000_000_000 + index * 7}`);
    expect(faultsOf(ids)).toStrictEqual([]);
  });

  it('warns, and fails where failOn says so', () => {
    const schema = { fields: [{ name: 'a', classification: 'public' as const }] };
    const file = 'a\nana@example.org\n';
    expect(inspectBytes(file, { expectation: { schema } }).verdict).toBe('warned');
    const thresholds = { failOn: ['sensitive-column' as const] };
    expect(inspectBytes(file, { expectation: { schema, thresholds } }).verdict).toBe('failed');
  });
});

describe('a column that is not public', () => {
  it.each(['internal', 'sensitive'] as const)(
    'is not looked at when it is %s',
    (classification) => {
      expect(faultsOf(['ana@example.org'], { classification })).toStrictEqual([]);
    },
  );
});
