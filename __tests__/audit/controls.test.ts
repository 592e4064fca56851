import { expect, it } from 'vitest';
import {
  BASELINES,
  controlsOf,
  familyOf,
  type Judged,
  titleOf,
  withControl,
  withoutControl,
} from '../../audit/controls.ts';
import type { Check, Finding, Look, RuleDescription } from '../../audit/findings.ts';
import { ALL_RULES } from '../../audit/rules/all-rules.ts';

const rule = (id: string, control?: string): RuleDescription => ({
  by: 'rules',
  id,
  title: id,
  severity: 'high',
  ...(control !== undefined && { control }),
});

const check = (id: string): Check => ({
  by: 'rules',
  rule: id,
  stack: 's',
  address: 'a.b',
  faults: [],
});

const finding = (id: string): Finding => ({
  by: 'rules',
  rule: id,
  severity: 'high',
  place: 's/a.b',
  message: 'It is wrong.',
  regions: [],
});

const WAIVER = {
  rule: 'lived',
  address: 's/a.b',
  reason: 'It is meant to be so.',
  owner: 'the owner',
  expires: '2027-01-31',
  line: 1,
};

function judged(parts: Partial<Judged>, checks: readonly Check[] = []): Judged {
  const looks = [{ checks }] as unknown as readonly Look[];
  return { baseline: 'fedramp-moderate', looks, rules: [], findings: [], waived: [], ...parts };
}

const verdictsOf = (result: Judged, ...ids: readonly string[]) =>
  controlsOf(result)
    .filter(({ id }) => ids.includes(id))
    .map(({ id, verdict }) => [id, verdict]);

it('a control is as its worst rule is', () => {
  const rules = ['fine', 'lived', 'broken'].map((id) => rule(id, 'AC-6'));
  const checks = rules.map(({ id }) => check(id));
  const waived = [{ ...finding('lived'), waiver: WAIVER }];
  const of = (parts: Partial<Judged>) => verdictsOf(judged({ rules, ...parts }, checks), 'AC-6');
  expect(of({})).toEqual([['AC-6', 'green']]);
  expect(of({ waived })).toEqual([['AC-6', 'waived']]);
  expect(of({ waived, findings: [finding('broken')] })).toEqual([['AC-6', 'red']]);
});

it('a rule that had nothing to look at does not make a control green', () => {
  const result = judged({ rules: [rule('idle', 'AC-6')] });
  expect(verdictsOf(result, 'AC-6')).toEqual([['AC-6', 'nothing to look at']]);
});

it('a control of the baseline that no rule serves is not covered', () => {
  const result = judged({ rules: [rule('one', 'AC-6')] });
  expect(verdictsOf(result, 'PE-3')).toEqual([['PE-3', 'not covered']]);
});

it('a control beside the baseline is listed where a rule serves it', () => {
  const result = judged({ baseline: 'nist-low', rules: [rule('one', 'AC-6(5)')] });
  expect(controlsOf(result).filter(({ rules }) => rules.length > 0)).toMatchObject([
    { id: 'AC-6(5)', title: 'Privileged Accounts', family: 'Access Control', inBaseline: false },
  ]);
});

it('controls are in the order of their numbers', () => {
  const ids = controlsOf(judged({})).map(({ id }) => id);
  const after = (one: string, other: string) =>
    expect(ids.indexOf(other)).toBeGreaterThan(ids.indexOf(one));
  after('AC-6', 'AC-6(1)');
  after('AC-6(2)', 'AC-6(10)');
  after('AC-6(10)', 'AC-7');
  after('AC-8', 'AC-11');
});

it('a waiver is shown with its owner and its last day', () => {
  const waived = [{ ...finding('lived'), waiver: WAIVER }];
  const [control] = controlsOf(judged({ rules: [rule('lived', 'ZZ-1')], waived })).slice(-1);
  expect(control?.rules[0]?.waived).toStrictEqual([
    { place: 's/a.b', owner: 'the owner', until: '2027-01-31' },
  ]);
});

it('every rule of our own names a control of the catalogue or of a baseline', () => {
  const known = new Set(Object.values(BASELINES).flat());
  const unknown = ALL_RULES.filter(({ control }) => !known.has(control) && titleOf(control) === '');
  for (const { control } of unknown) expect(familyOf(control), control).not.toBe('');
});

it.each([
  ['CKV_AWS_7', 'checkov', 'SC-12'],
  ['waiver-expired', 'audit', 'CA-5'],
  ['floor-rules-run', 'audit', 'CA-2'],
] as const)('%s has its control by our own table', (id, by, control) => {
  expect(withControl({ ...rule(id), by }).control).toBe(control);
});

it('a check without a row is unmapped, and one without a bearing says so', () => {
  const rules = ['CKV_AWS_99999', 'CKV_K8S_68', 'CKV_AWS_7'].map((id) =>
    withControl({ ...rule(id), by: 'checkov' }),
  );
  expect(withoutControl(judged({ rules }))).toStrictEqual({
    unmapped: ['CKV_AWS_99999'],
    withoutBearing: ['CKV_K8S_68'],
  });
});
