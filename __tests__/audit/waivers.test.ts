import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../audit/findings.ts';
import {
  applyWaivers,
  readWaivers,
  type Waiver,
  type WaiverCircumstances,
} from '../../audit/waivers.ts';
import { ROOT } from '../support/run-main.ts';

const ENTRY = {
  rule: 'key-rotates',
  address: 'file-processing/aws_kms_key.events',
  finding: 'enable_key_rotation must be true.',
  reason: 'The key is replaced by hand every month.',
  owner: 'platform team',
  expires: '2027-06-30',
};

function messages(...waivers: readonly object[]): readonly string[] {
  return readWaivers(JSON.stringify(waivers)).problems.map(({ message }) => message);
}

describe('a waiver file', () => {
  it('is read with the line of each waiver', () => {
    const text = `# why\n- rule: CKV_AWS_7\n  address: a/aws_kms_key.k\n  reason: twenty characters long\n  owner: me\n  expires: 2027-06-30\n`;
    expect(readWaivers(text)).toStrictEqual({
      waivers: [
        {
          rule: 'CKV_AWS_7',
          address: 'a/aws_kms_key.k',
          reason: 'twenty characters long',
          owner: 'me',
          expires: '2027-06-30',
          line: 2,
        },
      ],
      problems: [],
    });
  });

  it('may be empty', () => {
    expect(readWaivers('# nothing is waived\n')).toStrictEqual({ waivers: [], problems: [] });
  });

  it('takes a waiver with every field', () => {
    expect(messages({ ...ENTRY, environments: ['complete'] })).toEqual([]);
  });

  it.each(['rule', 'address', 'finding', 'reason', 'owner', 'expires'])(
    'refuses a waiver without %s, and waives nothing by it',
    (field) => {
      const { waivers, problems } = readWaivers(JSON.stringify([{ ...ENTRY, [field]: undefined }]));
      expect(waivers).toEqual([]);
      expect(problems).toStrictEqual([
        { rule: 'waiver-invalid', line: 1, message: `${field} is missing or empty.` },
      ]);
    },
  );

  it('needs no quoted finding for a check of a scanner', () => {
    expect(messages({ ...ENTRY, rule: 'CKV2_AWS_5', finding: undefined })).toEqual([]);
  });

  it('refuses a pattern in place of an address', () => {
    expect(messages({ ...ENTRY, address: 'file-processing/aws_kms_key.*' })).toEqual([
      expect.stringContaining('there are no patterns'),
    ]);
  });

  it('refuses an address without its stack', () => {
    expect(messages({ ...ENTRY, address: 'aws_kms_key.events' })).toHaveLength(1);
  });

  it('refuses a reason that says nothing', () => {
    expect(messages({ ...ENTRY, reason: 'not applicable' })).toEqual([
      expect.stringContaining('at least 20 characters'),
    ]);
  });

  it.each(['2027-02-30', 'next year', '2027-6-3'])('refuses %s as a day', (expires) => {
    expect(messages({ ...ENTRY, expires })).toEqual([expect.stringContaining(expires)]);
  });

  it('refuses fields that it does not know', () => {
    expect(messages({ ...ENTRY, global: 'true' })).toEqual([
      expect.stringContaining('global is not a field of a waiver'),
    ]);
  });

  it('refuses environments that are not a list', () => {
    expect(messages({ ...ENTRY, environments: 'complete' })).toHaveLength(1);
    expect(messages({ ...ENTRY, environments: [] })).toHaveLength(1);
  });

  it('refuses two waivers of the same finding', () => {
    expect(messages(ENTRY, ENTRY)).toEqual([expect.stringContaining('waived on line 1')]);
  });

  it('may name a rule by a former id', () => {
    const { waivers, problems } = readWaivers(
      JSON.stringify([{ ...ENTRY, rule: 'probe-has-patience' }]),
    );
    expect(problems).toEqual([]);
    expect(waivers.map(({ rule }) => rule)).toEqual(['probe-timing-is-valid']);
  });

  it('names every fault at once', () => {
    expect(messages({ ...ENTRY, reason: 'short', expires: 'never' })).toHaveLength(2);
  });

  it.each(['- rule: [', 'rule: one', '- just text'])('refuses %s', (text) => {
    expect(readWaivers(text).problems[0]?.rule).toBe('waiver-invalid');
  });
});

describe("the repository's waiver file", () => {
  it('has no fault', () => {
    const text = readFileSync(join(ROOT, 'audit/waivers.yaml'), 'utf8');
    expect(readWaivers(text).problems).toEqual([]);
  });
});

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
    expect(waived).toStrictEqual([{ ...FINDING, waiver: WAIVER }]);
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
