import { afterAll, beforeAll, expect, it } from 'vitest';
import { reportOf, summaryOf } from '../../../audit/report/summary.ts';
import { textReport } from '../../../audit/report/text-report.ts';
import { audited, faultIn } from '../support/audited.ts';
import {
  synthesizedFolder,
  type TemporaryFolder,
  temporaryFolder,
} from '../support/synthesized-folder.ts';

let folder: TemporaryFolder;
let out: TemporaryFolder;
beforeAll(() => {
  folder = synthesizedFolder('etl-playground');
  out = temporaryFolder();
});
afterAll(() => {
  folder.remove();
  out.remove();
});

it('is a table of who looked at what, the findings and a verdict', async () => {
  const result = await audited(folder.path, out.path, [faultIn('aws_sns_topic', 'it is public')]);
  const resources = String(summaryOf(result)[0]?.resources).padStart(9);
  expect(
    textReport(reportOf({ ...result, notes: ['Nothing is recorded.'] })),
  ).toBe(`etl-playground in us-gov-west-1 (aws-us-gov), judged for 2026-12-01

  Control  Region         By         View                            Resources  Passed  Failed
  CA-2     us-gov-west-1  own rules  synthesized JSON and manifests  ${resources}       0       1

Findings
  high  AC-6  no-aws-sns-topic  file-processing/aws_sns_topic.file_processing
    It is public.

Controls
  fedramp-moderate: rules look at 4 of 323 controls; 319 are not covered.
  Red: AC-6.

Notes
  Nothing is recorded.

Red: 1 finding. No second scanner ran: our own rules alone looked.
`);
});

it('shows as much of a long finding as a person reads, which the report has whole', async () => {
  const values = Array.from({ length: 200 }, (_, at) => `spec.value[${at}] = "${at}"`).join(', ');
  const fault = `it is new, with ${values}.\nit is short`;
  const result = await audited(folder.path, out.path, [faultIn('aws_sns_topic', fault)]);
  const report = reportOf(result);
  expect(report.findings[0]?.message).toContain(values);
  const [long = '', short] = textReport(report)
    .split('\n')
    .slice(-14)
    .filter((line) => /t is /.test(line));
  expect(long).toMatch(/^ {4}It is new, with .* = "\d+", … \(report\.json has all of it\)$/);
  expect(long.length).toBeLessThan(400);
  expect(short).toMatch(/^ {4}it is short/);
});

it('says how a person settles what nobody accepted', async () => {
  const result = await audited(folder.path, out.path, []);
  const differing = { by: 'audit', severity: 'medium', rule: 'differs-from-accepted' } as const;
  const findings = [{ ...differing, place: 'a/b', message: 'x is new: 1.', regions: [] }];
  expect(textReport(reportOf(result))).not.toContain('--accept');
  expect(textReport(reportOf({ ...result, findings }))).toContain(
    'accept it: --accept --owner NAME',
  );
});

it('says that it is green when there is nothing to say', async () => {
  const result = await audited(folder.path, out.path, [faultIn('aws_sqs_fifo', 'it is there')]);
  expect(textReport(reportOf(result))).toContain('Green: nothing is wrong that is not waived.');
  expect(textReport(reportOf(result))).not.toContain('Findings');
});
