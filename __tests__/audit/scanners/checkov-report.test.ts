import { describe, expect, it } from 'vitest';
import { type CheckovReport, readCheckovReports } from '../../../audit/scanners/checkov-report.ts';

const VIEWS = '/views/app';

function check(check_id: string, resource: string, file_path = '/plan.json', views = VIEWS) {
  const file_abs_path = `${views}${file_path}`;
  return { check_id, check_name: `About ${check_id}`, resource, file_path, file_abs_path };
}

/** What is said of the only folder. */
function read(text: string): CheckovReport {
  const [report] = readCheckovReports(text, [VIEWS]);
  if (report === undefined) throw new Error('no report');
  return report;
}

const PLAN = {
  check_type: 'terraform_plan',
  results: {
    passed_checks: [
      check('CKV_AWS_1', 'aws_sns_topic.t'),
      check('CKV2_ROLL_CALL', 'aws_sns_topic.t'),
      check('CKV2_ROLL_CALL', 'aws_kms_key.k'),
      check('CKV2_ROLL_CALL', 'aws.default'),
    ],
    failed_checks: [check('CKV_AWS_7', 'aws_kms_key.k')],
    skipped_checks: [],
    parsing_errors: [],
  },
  summary: { checkov_version: '3.3.30' },
};
const MANIFESTS = {
  check_type: 'kubernetes',
  results: {
    passed_checks: [
      check('CKV2_ROLL_CALL', 'Pod.ns.web.app-web', '/manifests/kubernetes_deployment_v1.web.yaml'),
      check('CKV2_ROLL_CALL', 'Deployment.ns.web', '/manifests/kubernetes_deployment_v1.web.yaml'),
    ],
    failed_checks: [],
    skipped_checks: [check('CKV_K8S_11', 'Deployment.ns.web')],
    parsing_errors: [`${VIEWS}/manifests/broken.yaml`],
  },
  summary: { checkov_version: '3.3.30' },
};

describe("checkov's report", () => {
  it('gives verdicts by address, without the roll call', () => {
    const { checks, version } = read(JSON.stringify(PLAN));
    expect(version).toBe('3.3.30');
    expect(checks.map(({ id, address, passed }) => [id, address, passed])).toEqual([
      ['CKV_AWS_1', 'aws_sns_topic.t', true],
      ['CKV_AWS_7', 'aws_kms_key.k', false],
    ]);
  });

  it('tells which resources answered, without providers', () => {
    expect(read(JSON.stringify(PLAN)).seen).toStrictEqual({
      terraform_plan: ['aws_sns_topic.t', 'aws_kms_key.k'],
      kubernetes: [],
    });
  });

  it('leads an object, and the pod that it makes, back to its resource', () => {
    expect(read(JSON.stringify([PLAN, MANIFESTS])).seen.kubernetes).toEqual([
      'kubernetes_deployment_v1.web',
    ]);
  });

  it('tells what was skipped and what could not be parsed', () => {
    const { skipped, parsingErrors } = read(JSON.stringify([PLAN, MANIFESTS]));
    expect(skipped).toEqual(['CKV_K8S_11 on Deployment.ns.web']);
    expect(parsingErrors).toEqual([`${VIEWS}/manifests/broken.yaml`]);
  });

  it('reads the bare counts of a run that saw nothing as nothing seen', () => {
    const bare = '{"passed": 0, "failed": 0, "resource_count": 0, "checkov_version": "3.3.30"}';
    const { checks, seen, version } = read(bare);
    expect({ checks, seen, version }).toStrictEqual({
      checks: [],
      seen: { terraform_plan: [], kubernetes: [] },
      version: '3.3.30',
    });
  });

  it('gives each folder what was said of its own files', () => {
    const two = ['/views/app', '/views/app-2'];
    const results = {
      passed_checks: [check('CKV_AWS_1', 'aws_sns_topic.t')],
      failed_checks: [check('CKV_AWS_1', 'aws_sns_topic.t', '/plan.json', '/views/app-2')],
      skipped_checks: [check('CKV_AWS_2', 'aws_sns_topic.t', '/plan.json', '/views/app-2')],
      parsing_errors: ['/views/app-2/manifests/broken.yaml'],
    };
    const reports = readCheckovReports(JSON.stringify({ ...PLAN, results }), two);
    expect(
      reports.map(({ checks, skipped, parsingErrors }) => [
        checks.map(({ passed }) => passed),
        skipped,
        parsingErrors,
      ]),
    ).toEqual([
      [[true], [], []],
      [[false], ['CKV_AWS_2 on aws_sns_topic.t'], ['/views/app-2/manifests/broken.yaml']],
    ]);
  });

  it('refuses what is said of files elsewhere, rather than to lose it', () => {
    expect(() => readCheckovReports(JSON.stringify(PLAN), ['/views/other'])).toThrow(
      '/views/app/plan.json is in none of the folders',
    );
  });

  it.each(['passed', 'failed', 'skipped', 'parsing_errors'])(
    'refuses a report that counts more of %s than it lists',
    (kind) => {
      const report = { ...PLAN, summary: { passed: 4, failed: 1, [kind]: 7 } };
      expect(() => read(JSON.stringify(report))).toThrow(/terraform_plan counts 7 .+ and lists \d/);
    },
  );

  it('takes a report that lists what it counts', () => {
    const summary = { passed: 4, failed: 1, skipped: 0, parsing_errors: 0 };
    expect(read(JSON.stringify({ ...PLAN, summary })).checks).toHaveLength(2);
  });

  it('refuses text that is not JSON', () => {
    expect(() => read('Traceback')).toThrow(SyntaxError);
  });
});
