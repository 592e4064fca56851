import { expect, it } from 'vitest';
import { SECRET_RULES } from '../../../../audit/rules/encryption/secrets.ts';
import { POLICY_RULES } from '../../../../audit/rules/identity/policies.ts';
import { WORKLOAD_ROLE_RULES } from '../../../../audit/rules/identity/workload-role.ts';
import { LISTENER_RULES } from '../../../../audit/rules/workload/listener.ts';
import { RESOURCE_RULES } from '../../../../audit/rules/workload/resources.ts';
import { MASTER_SECRET, synthesizeOnDemand } from '../../../support/synthesized-file-processing.ts';
import { findings } from '../../support/findings.ts';
import { type Planter, planterFor } from '../../support/planter.ts';
import type { Json, Stacks } from '../../support/renamed-stack.ts';
import { auditedOf, stacksOf } from '../../support/stacks.ts';

const RULES = [
  ...SECRET_RULES,
  ...POLICY_RULES,
  ...WORKLOAD_ROLE_RULES,
  ...LISTENER_RULES,
  ...RESOURCE_RULES,
];
const SECRET = MASTER_SECRET.arn;

/** The stacks with a database on demand, which two Jobs prepare. */
function onDemand(): Stacks {
  const processing = synthesizeOnDemand({
    delivery: 'sqs',
    create_s3_notifications: true,
    cluster_endpoint_private_access_cidrs: ['10.0.0.0/16'],
  });
  return { ...stacksOf({}), 'file-processing': processing as unknown as Json };
}

const text = JSON.stringify(onDemand());
const stacks = (): Stacks => JSON.parse(text) as Stacks;

it('the Jobs of a database on demand are green', () => {
  expect(findings(RULES, auditedOf(stacks()))).toEqual([]);
});

it('they are green too where others deploy the pods', () => {
  const processing = synthesizeOnDemand({
    delivery: 'sqs',
    create_s3_notifications: true,
    manage_kubernetes: false,
  });
  const withoutPods = { ...stacksOf({}), 'file-processing': processing as unknown as Json };
  expect(findings(RULES, auditedOf(withoutPods))).toEqual([]);
  planterFor(withoutPods).statement(/secretsmanager:GetSecretValue/, (s) => {
    if (String(s.Action).startsWith('secretsmanager')) s.Resource = '*';
  });
  expect(findings(RULES, auditedOf(withoutPods)).join('\n')).toContain(
    'workload-role-allows-no-more',
  );
});

it('their roles are green too as long as there is no image', () => {
  const processing = synthesizeOnDemand({ image: '', delivery: 'sqs' });
  const withoutPods = { ...stacksOf({}), 'file-processing': processing as unknown as Json };
  const found = findings(RULES, auditedOf(withoutPods)).join('\n');
  expect(found).not.toMatch(/aws_iam_role.database_/);
});

const JOB = 'kubernetes_job_v1';
const MIGRATION = /"migrate"/;

it.each<[string, string, (planter: Planter) => void]>([
  [
    'a listener that may read the master secret',
    'workload-role-allows-no-more',
    ({ statement }) =>
      statement(/s3:GetObjectVersion/, (s) => {
        Object.assign(s, { Action: 'secretsmanager:GetSecretValue', Resource: SECRET });
      }),
  ],
  [
    'a first Job that may read every secret',
    'workload-role-allows-no-more',
    ({ statement }) =>
      statement(/secretsmanager:GetSecretValue/, (s) => {
        if (String(s.Action).startsWith('secretsmanager')) s.Resource = '*';
      }),
  ],
  [
    'a right to every secret',
    'no-escalation',
    ({ statement }) =>
      statement(/secretsmanager:GetSecretValue/, (s) => {
        if (String(s.Action).startsWith('secretsmanager')) s.Resource = SECRET.replace('db-1', '*');
      }),
  ],
  [
    'a right to change the secret',
    'no-escalation',
    ({ statement }) =>
      statement(/secretsmanager:GetSecretValue/, (s) => {
        if (String(s.Action).startsWith('secretsmanager')) {
          s.Action = 'secretsmanager:PutSecretValue';
        }
      }),
  ],
  [
    'a first Job without its secret',
    'workload-role-allows-its-work',
    ({ statements }) =>
      statements(/secretsmanager:GetSecretValue/, (list) =>
        list.filter(({ Action }) => Action === 'kms:Decrypt'),
      ),
  ],
  [
    'a first Job that uses the key by way of any service',
    'workload-role-allows-no-more',
    ({ statements }) =>
      statements(/secretsmanager:GetSecretValue/, (list) =>
        list.map(({ Condition, ...rest }) => rest),
      ),
  ],
  [
    'a migration that signs in as another user',
    'workload-role-allows-no-more',
    ({ statement }) =>
      statement(/file_processing_migrator/, (s) => {
        s.Resource = String(s.Resource).replace('file_processing_migrator', 'listener');
      }),
  ],
  [
    'a migration that may also read the bucket',
    'workload-role-allows-no-more',
    ({ statements }) =>
      statements(/file_processing_migrator/, (list) => [
        ...list,
        {
          Sid: 'Read',
          Effect: 'Allow',
          Action: 's3:GetObject',
          Resource: 'arn:aws-us-gov:s3:::b/*',
        },
      ]),
  ],
  [
    'a listener that may sign in as the migrator',
    'workload-role-allows-no-more',
    ({ statement }) =>
      statement(/dbuser:db-ABC\/listener/, (s) => {
        s.Resource = String(s.Resource).replace('/listener', '/file_processing_migrator');
      }),
  ],
  [
    'a Job that Terraform waits for and Kubernetes deletes',
    'job-is-cleaned-up',
    ({ set }) => set(JOB, 'spec.ttl_seconds_after_finished', '86400', MIGRATION),
  ],
  [
    'a failure policy about another container',
    'job-ends',
    ({ set }) =>
      set(JOB, 'spec.pod_failure_policy.rule.0.on_exit_codes.container_name', 'other', MIGRATION),
  ],
  [
    'a failure policy that tries for ever',
    'job-ends',
    ({ set }) => set(JOB, 'spec.pod_failure_policy.rule.0.action', 'Ignore', MIGRATION),
  ],
  [
    'a failure policy of pods that restart',
    'job-ends',
    ({ set }) => set(JOB, 'spec.template.spec.restart_policy', 'OnFailure', MIGRATION),
  ],
  ['no migration at all', 'listener-runs-its-command', ({ remove }) => remove(JOB, MIGRATION)],
])('%s is found by %s', (_, rule, plant) => {
  const planted = stacks();
  plant(planterFor(planted));
  expect(findings(RULES, auditedOf(planted)).join('\n')).toContain(`${rule} `);
});
