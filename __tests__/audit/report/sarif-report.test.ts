import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Evidence } from '../../../audit/evidence.ts';
import type { AuditResult } from '../../../audit/judge.ts';
import { lineOfAddress, sarifReport } from '../../../audit/report/sarif-report.ts';
import { ROOT } from '../../support/run-main.ts';
import { audited, faultIn } from '../support/audited.ts';
import { A_DAY } from '../support/run-audit.ts';
import {
  synthesizedFolder,
  type TemporaryFolder,
  temporaryFolder,
} from '../support/synthesized-folder.ts';

const TEXT = `{
  "resource": {
    "aws_sns_topic": {
      "events": {
        "name": "events"
      }
    }
  },
  "data": { "aws_vpcs": { "found":
    {} } },
  "variable": {
    "image": {}
  },
  "output": {
    "url": { "value": "x" }
  },
  "terraform": {
  }
}
`;

it.each([
  ['aws_sns_topic.events', 4],
  ['aws_sns_topic.events main', 4],
  ['data.aws_vpcs.found', 9],
  ['var.image', 12],
  ['output.url', 15],
  ['terraform', 17],
  ['aws_sns_topic.gone', 1],
])('%s is on line %i', (address, line) => {
  expect(lineOfAddress(TEXT, address)).toBe(line);
});

let folder: TemporaryFolder;
let out: TemporaryFolder;
let result: AuditResult;

beforeAll(async () => {
  folder = synthesizedFolder('etl-playground');
  out = temporaryFolder();
  result = await audited(folder.path, out.path, [faultIn('aws_sns_topic', 'it is public')]);
});
afterAll(() => {
  folder.remove();
  out.remove();
});

const EVIDENCE: Evidence = {
  product: { name: 'infra', version: '1.2.3', rules: 'digest-of-rules' },
  commit: {
    id: '0123abcd',
    clean: false,
    cleanInputs: false,
    repository: 'https://example.com/agency/infra.git',
  },
  tools: { 'Node.js': '26.0.0' },
  by: { user: 'somebody', host: 'linux x64, no CI runner' },
  inputs: [{ path: 'audit/waivers.yaml', sha256: 'digest-of-waivers' }],
  sboms: [],
  missing: [],
};

/** The result, with its finding waived. */
function withWaiver(): AuditResult {
  const [finding] = result.findings;
  if (finding === undefined) throw new Error('there is no finding');
  const waiver = {
    rule: finding.rule,
    address: finding.place,
    reason: 'It is meant to be public.',
    owner: 'me',
    expires: '2027-01-01',
    line: 1,
  };
  return { ...result, findings: [], waived: [{ ...finding, waiver }] };
}

/** Faults of a report by the committed schema. */
function schemaFaults(report: unknown): unknown {
  const path = join(ROOT, '__tests__/fixtures/sarif/sarif-2.1.0.schema.json');
  const formats = { uri: true, 'uri-reference': true, 'date-time': true } as const;
  const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false, formats });
  const validate = ajv.compile(JSON.parse(readFileSync(path, 'utf8')));
  return validate(report) ? [] : validate.errors;
}

describe('the SARIF report', () => {
  it("is valid by OASIS's schema: what failed, what passed and what is waived, with and without evidence", () => {
    expect(schemaFaults(sarifReport(result))).toEqual([]);
    expect(schemaFaults(sarifReport({ ...result, evidence: EVIDENCE }))).toEqual([]);
    expect(schemaFaults(sarifReport({ ...withWaiver(), evidence: EVIDENCE }))).toEqual([]);
  });

  it('is held against a schema that refuses what is not SARIF', () => {
    const { runs } = sarifReport(result);
    expect(schemaFaults({ version: '2.1.0', runs: [{ ...runs[0], tool: {} }] })).not.toEqual([]);
    expect(schemaFaults({ version: '2.2.0', runs })).not.toEqual([]);
  });

  it('says of which commit, by whom and when', () => {
    const [run] = sarifReport({ ...result, evidence: EVIDENCE }).runs;
    expect(run?.versionControlProvenance).toStrictEqual([
      {
        repositoryUri: 'https://example.com/agency/infra.git',
        revisionId: '0123abcd',
        properties: { clean: false },
      },
    ]);
    expect(run?.invocations).toMatchObject([
      { executionSuccessful: true, endTimeUtc: A_DAY.toISOString(), account: 'somebody' },
    ]);
    expect(run?.tool.driver.version).toBe('1.2.3');
  });

  it('has no provenance outside of git, and an address even where the repository has none', () => {
    const of = (commit: Evidence['commit']) =>
      sarifReport({ ...result, evidence: { ...EVIDENCE, commit } }).runs[0];
    expect(of(undefined)).not.toHaveProperty('versionControlProvenance');
    expect(of({ id: '1', clean: true, cleanInputs: true })?.versionControlProvenance).toMatchObject(
      [{ repositoryUri: 'urn:repository:infra' }],
    );
  });

  it('has the digests of what was audited and of what the verdict depends on', () => {
    const [run] = sarifReport({ ...result, evidence: EVIDENCE }).runs;
    const roles = run?.artifacts.map(({ roles, hashes }) => [roles[0], hashes['sha-256']]);
    expect(roles).toContainEqual(['userSpecifiedConfiguration', 'digest-of-waivers']);
    expect(roles).toContainEqual(['analysisTarget', expect.stringMatching(/^[0-9a-f]{64}$/)]);
  });

  it('has what passed, too', async () => {
    const kept = await audited(folder.path, out.path, [
      {
        ...faultIn('aws_sns_topic', ''),
        judge: ({ model }) =>
          model.ofType('aws_sns_topic').map(({ stack, address }) => ({
            rule: 'no-aws-sns-topic',
            stack,
            address,
            faults: [],
          })),
      },
    ]);
    expect(sarifReport(kept).runs[0]?.results).toMatchObject([
      { ruleId: 'no-aws-sns-topic', kind: 'pass', level: 'none' },
    ]);
  });

  it('has a run for each examiner, with its rules', () => {
    const { version, runs } = sarifReport({ ...result, evidence: EVIDENCE });
    expect(version).toBe('2.1.0');
    expect(runs.map(({ tool }) => tool.driver.name)).toEqual([
      'file-processing-infra audit',
      'file-processing-infra audit of the audit',
    ]);
    expect(runs[0]?.tool.driver.rules).toStrictEqual([
      {
        id: 'no-aws-sns-topic',
        shortDescription: { text: 'There is no aws_sns_topic' },
        help: { text: 'A rule of the tests' },
        defaultConfiguration: { level: 'error' },
        properties: { tags: ['NIST SP 800-53 AC-6'], version: 'digest-of-rules' },
      },
    ]);
  });

  it('points at the line of the JSON at which the resource begins', () => {
    const [finding] = sarifReport(result).runs[0]?.results ?? [];
    const line = finding?.locations[0]?.physicalLocation.region.startLine ?? 0;
    const text = readFileSync(join(folder.path, 'stacks/file-processing/cdk.tf.json'), 'utf8');
    expect(text.split('\n')[line - 1]).toBe('      "file_processing": {');
    expect(text.split('\n')[line - 2]).toBe('    "aws_sns_topic": {');
  });

  it('gives each result the index of its rule and a fingerprint that outlives line changes', () => {
    for (const { tool, results } of sarifReport(result).runs) {
      for (const { ruleId, ruleIndex, partialFingerprints } of results) {
        expect(tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
        expect(partialFingerprints['ruleAndPlace/v1']).toMatch(ruleId);
      }
    }
  });

  it('suppresses what is waived, with the reason', () => {
    const waived = withWaiver();
    expect(sarifReport(waived).runs[0]?.results[0]).toMatchObject({
      suppressions: [
        {
          kind: 'external',
          justification: 'It is meant to be public.',
          properties: { owner: 'me', until: '2027-01-01' },
        },
      ],
    });
  });

  it('points at the waiver file for what is wrong there', () => {
    const finding = {
      by: 'audit',
      rule: 'waiver-unused',
      severity: 'high',
      place: 'audit/waivers.yaml:12',
      message: 'It is not needed.',
      regions: [],
    } as const;
    const { runs } = sarifReport({ ...result, findings: [finding] });
    expect(runs[1]?.results[0]?.locations).toStrictEqual([
      {
        physicalLocation: {
          artifactLocation: { uri: 'audit/waivers.yaml' },
          region: { startLine: 12 },
        },
      },
    ]);
  });
});
