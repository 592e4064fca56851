import { describe, expect, test } from 'vitest';
import { ALL_RULES } from '../../../../audit/rules/all-rules.ts';
import { JOB_RULES } from '../../../../audit/rules/workload/jobs.ts';
import type { Manifest } from '../../../../src/synthesized/views/kubernetes-manifests.ts';
import { findings } from '../../support/findings.ts';
import type { Json, Stacks } from '../../support/renamed-stack.ts';
import { auditedOf, type Settings, stacksOf } from '../../support/stacks.ts';

const DATABASE = { db_host: 'db.example.gov', db_name: 'etl', db_user: 'etl' };
const WITHOUT: Settings = { processing: { delivery: 'sqs', ...DATABASE } };
const AUTO: Settings = { processing: { ...WITHOUT.processing, job_runner: 'auto' } };
const [POLICY, BINDING, ROLE, ROLE_BINDING] = [0, 1, 2, 3];

/** What the rules of Jobs say of stacks that judge large files by Jobs, after a change. */
function said(change: (json: Json) => void): string {
  const stacks = structuredClone(stacksOf(AUTO)) as Record<string, Json>;
  change(stacks['file-processing'] as Json);
  return findings(JOB_RULES, auditedOf(stacks as Stacks)).join('\n');
}

function custom(json: Json): Manifest[] {
  return (json.locals as { custom_objects: Manifest[] }).custom_objects;
}

/** Changes the JSON of an object. */
function rewritten(at: number, from: string, to: string): (json: Json) => void {
  return (json) => {
    const objects = custom(json);
    const text = JSON.stringify(objects[at]);
    if (!text.includes(from)) throw new Error(`no ${from} in ${text}`);
    objects[at] = JSON.parse(text.replaceAll(from, to));
  };
}

function without(...at: number[]): (json: Json) => void {
  return (json) => {
    const locals = json.locals as { custom_objects: Manifest[] };
    locals.custom_objects = locals.custom_objects.filter((_, index) => !at.includes(index));
  };
}

function resource(json: Json, type: string, name: string): Json {
  return (json.resource as Record<string, Record<string, Json>>)[type]?.[name] as Json;
}

function template(from: string, to: string): (json: Json) => void {
  return (json) => {
    const data = resource(json, 'kubernetes_config_map_v1', 'jobs').data as Record<string, string>;
    if (!data['template.json']?.includes(from)) throw new Error(`no ${from}`);
    data['template.json'] = data['template.json'].replace(from, to);
  };
}

test('a stack that judges large files by Jobs is sound to every rule', () => {
  expect(findings(ALL_RULES, auditedOf(stacksOf(AUTO)))).toEqual([]);
});

test.each<[with_: string, settings: Record<string, unknown>]>([
  ['a queue of Kueue, which starts what is made suspended', { job_queue_name: 'large' }],
  ['a console, which has the settings of the listener and makes no Jobs', { console: true }],
  [
    'a Secret that KEDA alone uses, beside one that others make',
    {
      autoscaling: 'backlog',
      max_replicas: 4,
      scaler_user: 'scaler',
      existing_secret_name: 'database',
    },
  ],
])('a stack that judges large files by Jobs, with %s, is sound to every rule', (_, settings) => {
  const processing = { ...AUTO.processing, ...settings };
  expect(findings(ALL_RULES, auditedOf(stacksOf({ processing })))).toEqual([]);
});

test('a stack without Jobs is none of their business', () => {
  expect(findings(JOB_RULES, auditedOf(stacksOf(WITHOUT)))).toEqual([]);
});

describe('it is seen when', () => {
  test.each<[what: string, change: (json: Json) => void, said: string]>([
    ['there is no policy', without(POLICY), 'no ValidatingAdmissionPolicy limits'],
    ['the policy has no binding', without(BINDING), 'so that it is not in force'],
    ['the policy only warns', rewritten(BINDING, '"Deny"]', '"Warn"]'), 'does not refuse'],
    [
      'the policy lets pass what it cannot judge',
      rewritten(POLICY, '"failurePolicy":"Fail"', '"failurePolicy":"Ignore"'),
      'failurePolicy is Ignore',
    ],
    [
      'the policy reads parameters of a kind that API servers stop watching',
      rewritten(POLICY, '"kind":"ServiceAccount"', '"kind":"ConfigMap"'),
      'must be ServiceAccount',
    ],
    [
      'the policy is about every namespace',
      rewritten(POLICY, '"namespaceSelector":', '"other":'),
      'its namespaceSelector names another one, or none',
    ],
    [
      'the policy is about another namespace',
      rewritten(POLICY, '"kubernetes.io/metadata.name":"', '"kubernetes.io/metadata.name":"other'),
      'must be about the namespace',
    ],
    [
      'the parameters of the policy are missing',
      rewritten(BINDING, '"name":"file-processing-sa"', '"name":"other"'),
      'there is no ServiceAccount',
    ],
    [
      'the policy reads the image from another ServiceAccount',
      (json) => {
        const accounts = (json.resource as Record<string, Json>).kubernetes_service_account_v1;
        const other = structuredClone(resource(json, 'kubernetes_service_account_v1', 'sa'));
        (other.metadata as Json).name = 'other';
        Object.assign(accounts as Json, { other });
        rewritten(BINDING, '"name":"file-processing-sa"', '"name":"other"')(json);
      },
      'must be file-processing/file-processing-sa',
    ],
    [
      'the pods of Jobs may have annotations',
      rewritten(
        POLICY,
        'object.spec.template.metadata.?annotations.orValue({}).size() == 0',
        'object.spec.template.metadata.?annotations.orValue({}).size() < 9',
      ),
      'does not limit annotations of its pods',
    ],
    [
      'the policy is of another user',
      rewritten(POLICY, 'file-processing:file-processing-sa', 'file-processing:other'),
      'must hold whenever the user is',
    ],
    [
      'the policy holds on a condition',
      rewritten(
        POLICY,
        '"matchConditions":[',
        '"matchConditions":[{"name":"x","expression":"true"},',
      ),
      'under no other condition',
    ],
    [
      'changes are not looked at',
      rewritten(POLICY, '"CREATE","UPDATE"', '"CREATE"'),
      'CREATE and UPDATE',
    ],
    [
      'any image may run',
      rewritten(
        POLICY,
        'variables.container.image == params.metadata.annotations[\\"file-processing/image\\"]',
        'true',
      ),
      'does not limit the image',
    ],
    [
      'any volume may be mounted',
      rewritten(
        POLICY,
        'variables.pod.?volumes.orValue([]).all(',
        'variables.pod.?volumes.orValue([]).exists(',
      ),
      'does not limit the volumes',
    ],
    [
      'a container may be privileged',
      rewritten(
        POLICY,
        '(!variables.container.?securityContext.privileged.orValue(false)) && ',
        '',
      ),
      'does not limit privileges',
    ],
    [
      'an expression always holds',
      rewritten(
        POLICY,
        'variables.container.image == params.metadata.annotations[\\"file-processing/image\\"]',
        'variables.container.image == params.metadata.annotations[\\"file-processing/image\\"] || true',
      ),
      'an expression that always holds',
    ],
    ['the Role may change Jobs', rewritten(ROLE, '"delete"', '"delete","patch"'), 'verb patch'],
    ['the Role may make pods', rewritten(ROLE, '["jobs"]', '["jobs","pods"]'), 'resource pods'],
    [
      'the Role has another group',
      rewritten(ROLE, '["batch"]', '["batch","apps"]'),
      'group "apps"',
    ],
    ['the listener has no right', without(ROLE_BINDING), 'no RoleBinding lets'],
    [
      'there is neither right nor policy',
      without(POLICY, BINDING, ROLE, ROLE_BINDING),
      'no RoleBinding lets',
    ],
    [
      'the listener has no token',
      (json) => {
        const { spec } = resource(json, 'kubernetes_deployment_v1', 'sns_listener');
        const pod = (spec as { template: { spec: Json } }).template.spec;
        pod.automount_service_account_token = false;
      },
      'automountServiceAccountToken must be true',
    ],
    [
      'the template is of another image',
      template('"image":"${var.image}"', '"image":"registry.example/other"'),
      'image of its container is not that of',
    ],
    [
      'the template is of another ServiceAccount',
      template('"serviceAccountName":"file-processing-sa"', '"serviceAccountName":"default"'),
      'serviceAccountName of its pods is not that of',
    ],
    [
      'the template mounts the token',
      template('"automountServiceAccountToken":false', '"automountServiceAccountToken":true'),
      'carry a token for the API',
    ],
    [
      'the template has another security context',
      template('"readOnlyRootFilesystem":true', '"readOnlyRootFilesystem":false'),
      'securityContext of its container is not that of',
    ],
    ['Jobs stay for ever', template('"ttlSecondsAfterFinished":600,', ''), 'stays for ever'],
    [
      'policies read another image than the template has',
      (json) => {
        const { metadata } = resource(json, 'kubernetes_service_account_v1', 'sa');
        const { annotations } = metadata as { annotations: Record<string, string> };
        annotations['file-processing/image'] = 'registry.example/other';
      },
      'the image that policies read',
    ],
  ])('%s', (_, change, expected) => {
    expect(said(change)).toContain(expected);
  });
});
