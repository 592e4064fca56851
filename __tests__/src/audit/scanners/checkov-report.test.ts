import { describe, expect, it } from 'vitest';
import { readCheckovReport } from '../../../../src/audit/scanners/checkov-report.ts';

function check(check_id: string, resource: string, file_path = '/plan.json') {
  return { check_id, check_name: `About ${check_id}`, resource, file_path };
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
    parsing_errors: ['/manifests/broken.yaml'],
  },
  summary: { checkov_version: '3.3.30' },
};

describe("checkov's report", () => {
  it('gives verdicts by address, without the roll call', () => {
    const { checks, version } = readCheckovReport(JSON.stringify(PLAN));
    expect(version).toBe('3.3.30');
    expect(checks.map(({ id, address, passed }) => [id, address, passed])).toEqual([
      ['CKV_AWS_1', 'aws_sns_topic.t', true],
      ['CKV_AWS_7', 'aws_kms_key.k', false],
    ]);
  });

  it('tells which resources answered, without providers', () => {
    expect(readCheckovReport(JSON.stringify(PLAN)).seen).toEqual({
      terraform_plan: ['aws_sns_topic.t', 'aws_kms_key.k'],
      kubernetes: [],
    });
  });

  it('leads an object, and the pod that it makes, back to its resource', () => {
    expect(readCheckovReport(JSON.stringify([PLAN, MANIFESTS])).seen.kubernetes).toEqual([
      'kubernetes_deployment_v1.web',
    ]);
  });

  it('tells what was skipped and what could not be parsed', () => {
    const { skipped, parsingErrors } = readCheckovReport(JSON.stringify([PLAN, MANIFESTS]));
    expect(skipped).toEqual(['CKV_K8S_11 on Deployment.ns.web']);
    expect(parsingErrors).toEqual(['/manifests/broken.yaml']);
  });

  it('reads the bare counts of a run that saw nothing as nothing seen', () => {
    const bare = '{"passed": 0, "failed": 0, "resource_count": 0, "checkov_version": "3.3.30"}';
    const { checks, seen, version } = readCheckovReport(bare);
    expect({ checks, seen, version }).toEqual({
      checks: [],
      seen: { terraform_plan: [], kubernetes: [] },
      version: '3.3.30',
    });
  });

  it('refuses text that is no JSON', () => {
    expect(() => readCheckovReport('Traceback')).toThrow(SyntaxError);
  });
});
