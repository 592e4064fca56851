import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readWaivers } from '../../../audit/waivers/read-waivers.ts';
import { ROOT } from '../../support/run-main.ts';

const WAIVER = {
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
    expect(readWaivers(text)).toEqual({
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
    expect(readWaivers('# nothing is waived\n')).toEqual({ waivers: [], problems: [] });
  });

  it('takes a waiver with every field', () => {
    expect(messages({ ...WAIVER, environments: ['complete'] })).toEqual([]);
  });

  it.each(['rule', 'address', 'finding', 'reason', 'owner', 'expires'])(
    'refuses a waiver without %s, and waives nothing by it',
    (field) => {
      const { waivers, problems } = readWaivers(
        JSON.stringify([{ ...WAIVER, [field]: undefined }]),
      );
      expect(waivers).toEqual([]);
      expect(problems).toEqual([
        { rule: 'waiver-invalid', line: 1, message: `${field} is missing or empty.` },
      ]);
    },
  );

  it('needs no quoted finding for a check of a scanner', () => {
    expect(messages({ ...WAIVER, rule: 'CKV2_AWS_5', finding: undefined })).toEqual([]);
  });

  it('refuses a pattern in place of an address', () => {
    expect(messages({ ...WAIVER, address: 'file-processing/aws_kms_key.*' })).toEqual([
      expect.stringContaining('there are no patterns'),
    ]);
  });

  it('refuses an address without its stack', () => {
    expect(messages({ ...WAIVER, address: 'aws_kms_key.events' })).toHaveLength(1);
  });

  it('refuses a reason that says nothing', () => {
    expect(messages({ ...WAIVER, reason: 'not applicable' })).toEqual([
      expect.stringContaining('at least 20 characters'),
    ]);
  });

  it.each(['2027-02-30', 'next year', '2027-6-3'])('refuses %s as a day', (expires) => {
    expect(messages({ ...WAIVER, expires })).toEqual([expect.stringContaining(expires)]);
  });

  it('refuses fields that it does not know', () => {
    expect(messages({ ...WAIVER, global: 'true' })).toEqual([
      expect.stringContaining('global is no field of a waiver'),
    ]);
  });

  it('refuses environments that are no list', () => {
    expect(messages({ ...WAIVER, environments: 'complete' })).toHaveLength(1);
    expect(messages({ ...WAIVER, environments: [] })).toHaveLength(1);
  });

  it('refuses two waivers of the same finding', () => {
    expect(messages(WAIVER, WAIVER)).toEqual([expect.stringContaining('waived on line 1')]);
  });

  it('names every fault at once', () => {
    expect(messages({ ...WAIVER, reason: 'short', expires: 'never' })).toHaveLength(2);
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
