import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditResult } from '../../../audit/judge.ts';
import { OSCAL_FILES, oscalReport } from '../../../audit/report/oscal-report.ts';
import { ROOT } from '../../support/run-main.ts';
import { audited, faultIn } from '../support/audited.ts';
import { A_DAY } from '../support/run-audit.ts';
import {
  synthesizedFolder,
  type TemporaryFolder,
  temporaryFolder,
} from '../support/synthesized-folder.ts';

let folder: TemporaryFolder;
let out: TemporaryFolder;
let result: AuditResult;

beforeAll(async () => {
  folder = synthesizedFolder('etl-playground');
  out = temporaryFolder();
  const red = await audited(folder.path, out.path, [
    faultIn('aws_sns_topic', 'it is public'),
    { ...faultIn('aws_sqs_queue', 'it is public'), control: 'SC-7(5)' },
    { ...faultIn('aws_vpc', ''), control: 'SC-7', judge: () => [] },
  ]);
  const [finding] = red.findings.filter(({ rule }) => rule === 'no-aws-sns-topic');
  if (finding === undefined) throw new Error('there is no finding');
  const waiver = {
    rule: finding.rule,
    address: finding.place,
    reason: 'It is meant to be public.',
    owner: 'the platform team',
    expires: '2027-01-31',
    line: 1,
  };
  result = {
    ...red,
    findings: red.findings.filter((other) => other !== finding),
    waived: [{ ...finding, waiver }],
  };
});
afterAll(() => {
  folder.remove();
  out.remove();
});

/** Faults of a document by the committed schema. */
function schemaFaults(name: string, document: unknown): unknown {
  const path = join(ROOT, '__tests__/fixtures/oscal', `${name}.schema.json`);
  const formats = { 'date-time': true, uri: true, email: true } as const;
  const ajv = new Ajv2020({ strict: false, formats });
  const validate = ajv.compile(JSON.parse(readFileSync(path, 'utf8')));
  return validate(document) ? [] : validate.errors;
}

/** The one result of the assessment results. */
function assessed(of = result) {
  const [one] = oscalReport(of).results['assessment-results'].results;
  if (one === undefined) throw new Error('there is no result');
  return one;
}

describe('the OSCAL report', () => {
  it('is valid: assessment results and the plan that they import', () => {
    const { plan, results } = oscalReport(result);
    expect(schemaFaults('assessment-results', results)).toEqual([]);
    expect(schemaFaults('assessment-plan', plan)).toEqual([]);
    expect(results['assessment-results']['import-ap'].href).toBe(OSCAL_FILES.plan);
  });

  it('is held against a schema that refuses what is not OSCAL', () => {
    const { results } = oscalReport(result);
    const { uuid: _, ...without } = results['assessment-results'];
    expect(schemaFaults('assessment-results', { 'assessment-results': without })).not.toEqual([]);
  });

  it('has an observation for each rule, with what it found', () => {
    const observations = assessed().observations;
    expect(observations.map(({ title }) => title)).toEqual(result.rules.map(({ id }) => id));
    expect(observations.find(({ title }) => title === 'no-aws-sqs-queue')).toMatchObject({
      methods: ['TEST'],
      'relevant-evidence': [
        { description: 'file-processing/aws_sqs_queue.dead_letter: It is public.' },
      ],
    });
  });

  it('has a finding for each control that a rule serves, which is satisfied where all is green', () => {
    const states = assessed().findings.map(({ title, target }) => [
      title.split(' ')[0],
      target['target-id'],
      target.status.state,
    ]);
    expect(states).toContainEqual(['SC-7(5)', 'sc-7.5_smt', 'not-satisfied']);
    expect(states).toContainEqual(['CA-5', 'ca-5_smt', 'satisfied']);
  });

  it('counts neither a waived fault nor a rule without subjects as satisfied', () => {
    const stateOf = (control: string) =>
      assessed().findings.find(({ title }) => title.startsWith(`${control} `))?.target.status.state;
    expect(stateOf('AC-6')).toBe('not-satisfied');
    expect(stateOf('SC-7')).toBe('not-satisfied');
  });

  it('has a risk for each waiver, with its owner and its last day', () => {
    const [risk] = assessed().risks ?? [];
    expect(risk).toMatchObject({
      statement: 'It is meant to be public.',
      status: 'deviation-approved',
      deadline: '2027-01-31T23:59:59Z',
    });
    const parties = oscalReport(result).results['assessment-results'].metadata.parties ?? [];
    expect(parties).toMatchObject([{ name: 'the platform team' }]);
    expect(risk?.origins[0]?.actors[0]?.['actor-uuid']).toBe(parties[0]?.uuid);
    const [finding] = assessed().findings.filter(({ title }) => title.startsWith('AC-6 '));
    expect(finding?.['related-risks']).toStrictEqual([{ 'risk-uuid': risk?.uuid }]);
  });

  it('reviews the controls that were served, and plans those of the baseline', () => {
    const idsOf = (reviewed: {
      'control-selections': { 'include-controls': { 'control-id': string }[] }[];
    }) =>
      reviewed['control-selections'].flatMap((selection) =>
        selection['include-controls'].map((control) => control['control-id']),
      );
    expect(idsOf(assessed()['reviewed-controls'])).toContain('sc-7.5');
    expect(idsOf(assessed()['reviewed-controls'])).not.toContain('pe-3');
    expect(idsOf(oscalReport(result).plan['assessment-plan']['reviewed-controls'])).toContain(
      'pe-3',
    );
  });

  it('is the same for the same audit, and has other ids at another time', () => {
    expect(oscalReport(result)).toStrictEqual(oscalReport(result));
    const later = { ...result, auditedAt: new Date(A_DAY.valueOf() + 1000) };
    expect(assessed(later).uuid).not.toBe(assessed().uuid);
  });
});
