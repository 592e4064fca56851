import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../audit/finding.ts';
import { applyWaivers, type WaiverCircumstances } from '../../../audit/waivers/apply-waivers.ts';
import type { Waiver } from '../../../audit/waivers/waiver.ts';

const FINDING: Finding = {
  by: 'rules',
  rule: 'key-rotates',
  severity: 'medium',
  place: 'app/aws_kms_key.k',
  message: 'enable_key_rotation must be true.',
  regions: ['us-east-1'],
};
const WAIVER: Waiver = {
  rule: 'key-rotates',
  address: 'app/aws_kms_key.k',
  finding: 'enable_key_rotation\nmust be true.',
  reason: 'The key is replaced by hand every month.',
  owner: 'platform team',
  expires: '2027-06-30',
  line: 7,
};
const CIRCUMSTANCES: WaiverCircumstances = {
  environment: 'complete',
  environments: ['complete', 'playground'],
  rules: new Set(['key-rotates', 'other-rule', 'CKV_AWS_7']),
  places: new Set(['app/aws_kms_key.k', 'app/aws_sns_topic.t']),
  scanned: true,
  today: new Date('2027-01-01T10:00:00Z'),
};

function apply(
  waiver: Partial<Waiver>,
  circumstances: Partial<WaiverCircumstances> = {},
  findings = [FINDING],
) {
  return applyWaivers(findings, [{ ...WAIVER, ...waiver }], {
    ...CIRCUMSTANCES,
    ...circumstances,
  });
}

describe('a waiver', () => {
  it('takes exactly its finding out', () => {
    const other = { ...FINDING, place: 'app/aws_kms_key.other' };
    const { open, waived, problems } = apply({}, {}, [FINDING, other]);
    expect(open).toEqual([other]);
    expect(waived).toEqual([{ ...FINDING, waiver: WAIVER }]);
    expect(problems).toEqual([]);
  });

  it('holds on its last day', () => {
    expect(apply({}, { today: new Date('2027-06-30T23:59:00Z') }).open).toEqual([]);
  });

  it('waives nothing from the day after', () => {
    const { open, problems } = apply({}, { today: new Date('2027-07-01T00:00:00Z') });
    expect(open).toEqual([FINDING]);
    expect(problems).toMatchObject([{ rule: 'waiver-expired', line: 7 }]);
  });

  it('waives nothing when it is meant to hold for more than a year', () => {
    const { open, problems } = apply({ expires: '2029-01-01' });
    expect(open).toEqual([FINDING]);
    expect(problems).toMatchObject([{ rule: 'waiver-invalid' }]);
  });

  it('does not cover a finding that got worse', () => {
    const worse = { ...FINDING, message: 'enable_key_rotation must be true. It is public.' };
    const { open, problems } = apply({}, {}, [worse]);
    expect(open).toEqual([worse]);
    expect(problems).toEqual([]);
  });

  it('covers whatever its check says when it quotes nothing', () => {
    expect(apply({ finding: undefined }).open).toEqual([]);
  });

  it('is unused when there is nothing to waive', () => {
    expect(apply({}, {}, []).problems).toMatchObject([{ rule: 'waiver-unused' }]);
  });

  it('is unknown when there is no such rule', () => {
    expect(apply({ rule: 'key-rotate' }).problems).toMatchObject([{ rule: 'waiver-unknown' }]);
  });

  it('is unknown when there is no such resource', () => {
    const { problems } = apply({ address: 'app/aws_kms_key.gone' });
    expect(problems).toMatchObject([{ rule: 'waiver-unknown', line: 7 }]);
  });

  it('is unknown when it names an environment that does not exist', () => {
    const { problems } = apply({ environments: ['complete', 'staging'] });
    expect(problems).toMatchObject([
      { rule: 'waiver-unknown', message: expect.stringContaining('staging') },
    ]);
  });

  it('neither holds nor is unused in an environment that it is not meant for', () => {
    const { open, problems } = apply({ environments: ['playground'] });
    expect(open).toEqual([FINDING]);
    expect(problems).toEqual([]);
  });

  it('of a scanner is not judged when no scanner ran', () => {
    const circumstances = { scanned: false, rules: new Set(['key-rotates']) };
    expect(apply({ rule: 'CKV_AWS_7' }, circumstances).problems).toEqual([]);
  });
});
