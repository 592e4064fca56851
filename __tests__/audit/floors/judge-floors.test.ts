import { describe, expect, it } from 'vitest';
import { judgeFloors } from '../../../audit/floors/judge-floors.ts';
import type { Look } from '../../../audit/look.ts';
import type { CheckovReport } from '../../../audit/scanners/checkov-report.ts';
import { smallModel } from '../support/small-stack.ts';

const REPORT: CheckovReport = {
  version: '3.3.30',
  checks: [
    {
      framework: 'terraform_plan',
      id: 'CKV_AWS_7',
      name: 'Rotates',
      address: 'aws_kms_key.k',
      passed: true,
    },
  ],
  seen: {
    terraform_plan: ['aws_kms_key.k', 'kubernetes_namespace_v1.n'],
    kubernetes: ['kubernetes_namespace_v1.n'],
  },
  parsingErrors: [],
  skipped: [],
};

const LOOK: Look = {
  region: 'us-east-1',
  partition: 'aws',
  folder: 'cdktf.out',
  model: smallModel({ aws_kms_key: { k: {} }, kubernetes_namespace_v1: { n: {} } }),
  objects: [
    {
      stack: 'app',
      address: 'kubernetes_namespace_v1.n',
      manifest: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } },
    },
  ],
  checks: [{ by: 'rules', rule: 'r', stack: 'app', address: 'aws_kms_key.k', faults: [] }],
  scans: { app: REPORT },
  ruled: true,
  rules: [],
};
const RECORDED = { resources: 2, rules: 1, terraform_plan: 1, kubernetes: 0 };

function judged(look: Partial<Look>, recorded = RECORDED) {
  return judgeFloors({ ...LOOK, ...look }, recorded).map(
    ({ rule, place, message }) => `${rule} ${place} ${message}`,
  );
}

function scan(report: Partial<CheckovReport>) {
  return { scans: { app: { ...REPORT, ...report } } };
}

describe('the floors', () => {
  it('are kept when everything was read and as much passed as recorded', () => {
    expect(judged({})).toEqual([]);
  });

  it('are missed by fewer passed checks', () => {
    expect(judged(scan({ checks: [] }))).toEqual([
      'floor-passed-checks audit/floors.json Only 0 checks of checkov on the plan passed, recorded are 1.',
    ]);
  });

  it('are missed by a resource that a scanner did not read', () => {
    const seen = { ...REPORT.seen, terraform_plan: ['kubernetes_namespace_v1.n'] };
    expect(judged(scan({ seen }))).toEqual([
      'floor-resources-read app/aws_kms_key.k checkov (plan) did not read it, though it is synthesized.',
    ]);
  });

  it('are missed by a Kubernetes resource without a manifest', () => {
    expect(judged({ objects: [], scans: undefined })).toEqual([
      'floor-resources-read app/kubernetes_namespace_v1.n The view of the manifests did not read it, though it is synthesized.',
    ]);
  });

  it('are missed by a file that could not be parsed', () => {
    expect(judged(scan({ parsingErrors: ['plan.json'] }))).toEqual([
      'floor-parsing-errors app/terraform checkov could not parse plan.json.',
    ]);
  });

  it('are missed by a check that is switched off elsewhere', () => {
    expect(judged(scan({ skipped: ['CKV_K8S_11 on Deployment.web'] }))).toEqual([
      'floor-skipped-checks app/terraform CKV_K8S_11 on Deployment.web is switched off outside the waiver file.',
    ]);
  });
});
