import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { partitionOf } from '@file-processing/contract/partition.ts';
import { App, type TerraformStack, Testing } from 'cdktf';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runRules } from '../../../audit/judge.ts';
import { ALL_RULES } from '../../../audit/rules/all-rules.ts';
import { databaseFinder } from '../../../src/file-processing/database-lookup.ts';
import { FileProcessingStack } from '../../../src/file-processing/stack.ts';
import { FoundationNetworkStack } from '../../../src/foundation-network/stack.ts';
import { PostgresOnDemandStack } from '../../../src/postgres-on-demand/stack.ts';
import { commonVariables } from '../../../src/settings/common-variables.ts';
import { type Environment, loadEnvironment } from '../../../src/settings/environment.ts';
import { fileProcessingVariables } from '../../../src/settings/file-processing-variables.ts';
import { type Finding, SettingsError } from '../../../src/settings/finding.ts';
import { foundationNetworkVariables } from '../../../src/settings/foundation-network-variables.ts';
import { postgresOnDemandVariables } from '../../../src/settings/postgres-on-demand-variables.ts';
import type { Variable, VariableTable } from '../../../src/settings/variable.ts';
import type { Model } from '../../../src/synthesized/model/model.ts';
import type { TerraformJson } from '../../../src/synthesized/synthesized-stack.ts';
import { kubernetesObjects } from '../../../src/synthesized/views/kubernetes-manifests.ts';
import { modelOfJson } from '../../audit/support/stack-model.ts';

/** Of which the examples are. */
const REGION = 'us-gov-west-1';

/** Values beside default and example, at the bounds of what is allowed; some go together, some don't. */
const SPECIAL: Readonly<Record<string, readonly unknown[]>> = {
  tags: [{ '${x}': '%{y}', ünï: 'ä b' }, {}],
  iam_path: [`/${'p'.repeat(510)}/`, '/a/b=c/'],
  iam_role_name_prefix: ['p'.repeat(20), 'p'.repeat(32)],
  trusted_accounts: [['210987654321', '310987654321']],
  foundation_name_prefix: ['A', `a${'-b'.repeat(19)}`, 'file-processing-cluster', 'x'.repeat(40)],
  name_prefix: ['A', `a${'-b'.repeat(19)}`, 'file-processing-cluster', 'x'.repeat(40)],
  cluster_name: ['c', 'c'.repeat(38), 'etl-platform', 'a_b'],
  node_group_name: ['n', 'n'.repeat(63)],
  sns_topic_name: ['t', 't'.repeat(68)],
  private_subnet_tags: [{ tier: '${a}*' }],
  node_user_data: ['#!/bin/sh\necho "${HOME}" %{x}\n', '[settings.kernel]\nlockdown = "none"\n'],
  node_instance_types: [['t4g.medium'], ['m5.large'], ['m5.large', 'm6i.large']],
  ami_type: [
    ...['AL2023_x86_64_STANDARD', 'AL2023_ARM_64_STANDARD', 'BOTTLEROCKET_x86_64'],
    ...['BOTTLEROCKET_ARM_64_FIPS'],
  ],
  node_groups: [
    ...['node-group', 'nodes', 'this', 'a', 'a'.repeat(20), 'eks-node', 'constructor'].map(
      (name) => [
        { name, instance_types: ['m5.large'], taints: ['a=:NoSchedule'], labels: { b: 'c' } },
        { name: 'other', instance_types: ['m5.large'], ami_id: 'ami-0a1b2c3d4e5f67891' },
      ],
    ),
  ],
  cluster_admin_arns: [
    ['arn:aws-us-gov:iam::123456789012:role/a/b', 'arn:aws-us-gov:iam::123456789012:role/a_b'],
  ],
  s3_prefixes: [['']],
  s3_suffix: [' =+ü"${x}.csv'],
  buckets: [
    [{ name: 'a.b' }, { name: 'a-b', create_notifications: true }],
    [
      { name: 'one', create_notifications: true, prefixes: ['a=b/', 'ü ${x}/'] },
      { name: 'two', account_id: '210987654321' },
      { name: 'own', account_id: '123456789012', create_notifications: true },
    ],
    [...Array(20).keys()].map((index) => ({
      name: `bucket-${index}`,
      prefixes: [...Array(20).keys()].map((prefix) => `${prefix}${'x'.repeat(100)}/`),
    })),
  ],
  extra_environment: [{ A: '${x}"\n%{y}' }, { _: '' }],
  annotations: [{ 'a/b': '${x}' }],
  no_proxy: [[...Array(100).keys()].map((index) => `${'h'.repeat(60)}.${index}.example.org`)],
  existing_oidc_provider_arn: [
    'arn:aws-us-gov:iam::123456789012:oidc-provider/oidc.eks.us-gov-west-1.amazonaws.com/id/0A',
  ],
  identifier: ['d', 'd'.repeat(48)],
  vpc_cidr: ['10.0.0.0/24'],
};

function candidates(name: string, { default: usual, example, type, allowed }: Variable<unknown>) {
  const [, least, most] = /^a (?:whole )?number from (\d+) to (\d+)/.exec(allowed) ?? [];
  const choices = /^one of/.test(allowed) ? [...allowed.matchAll(/"([^"]*)"/g)] : [];
  return [
    ...(usual === undefined ? [] : [usual]),
    example,
    ...(type === 'bool' ? [true, false] : []),
    ...[least, most].filter((bound) => bound !== undefined).map(Number),
    ...choices.map(([, value]) => value),
    ...(SPECIAL[name] ?? []),
  ];
}

/** Files of a table's variables: some of them given, each a value that it could have. */
function files(table: VariableTable): fc.Arbitrary<Variables> {
  const given = Object.entries(table)
    // A password is not for files, and a region is that of all.
    .filter(([name]) => !['db_password', 'scaler_password', 'aws_region'].includes(name))
    .map(([name, variable]) => [name, fc.constantFrom(...candidates(name, variable))] as const);
  return fc.record(Object.fromEntries(given), { requiredKeys: [] });
}

type Variables = Readonly<Record<string, unknown>>;

/** The files of an environment, by their names, and the region of all. */
interface Generated {
  readonly region: string;
  readonly foundation_network: Variables;
  readonly file_processing: Variables;
  readonly postgres_on_demand: Variables;
}

const environments: fc.Arbitrary<Generated> = fc.record({
  foundation_network: files(foundationNetworkVariables),
  file_processing: files(fileProcessingVariables),
  postgres_on_demand: files(postgresOnDemandVariables),
  // What stacks of one environment have in common.
  region: fc.constantFrom(REGION, 'us-east-1', 'cn-north-1'),
});

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'generated-'));
  mkdirSync(join(root, 'environments/dev'), { recursive: true });
});
afterAll(() => rmSync(root, { recursive: true }));

/** What all stacks of an environment have alike, or the audit finds them to be of two environments. */
function commonOf(variables: Variables): Variables {
  return Object.fromEntries(
    Object.entries(variables).filter(([name]) => Object.hasOwn(commonVariables, name)),
  );
}

function ownOf(variables: Variables): Variables {
  return Object.fromEntries(
    Object.entries(variables).filter(([name]) => !Object.hasOwn(commonVariables, name)),
  );
}

/** In the place of a stack's name: all of them. */
const COMMON = 'common';

/** Stack and variable of a fault. */
function placeOf({ file, variable = '' }: Finding): string {
  const [name = ''] = variable.split('[');
  const [, stack = ''] = /(\w+)\.tfvars/.exec(file) ?? [];
  return `${Object.hasOwn(commonVariables, name) ? COMMON : stack}.${name}`;
}

const TABLES: Readonly<Record<string, VariableTable>> = {
  foundation_network: foundationNetworkVariables,
  file_processing: fileProcessingVariables,
  postgres_on_demand: postgresOnDemandVariables,
};

/**
 * Loads an environment, with the variables left out that are refused, and with an example where one must be given:
 * what is left is what a user can have.
 */
function accepted({ region, ...generated }: Generated): Environment {
  const common = commonOf(generated.file_processing);
  const stacks = new Map(
    Object.entries(generated).map(([stack, variables]: [string, Variables]) => [
      stack,
      new Map(Object.entries({ ...ownOf(variables), ...common, aws_region: region })),
    ]),
  );
  for (let attempts = 0; attempts < 20; attempts += 1) {
    for (const [stack, variables] of stacks) {
      const text = JSON.stringify(Object.fromEntries(variables))
        .replaceAll(REGION, region)
        .replaceAll('arn:aws-us-gov:', `arn:${partitionOf(region).name}:`);
      writeFileSync(join(root, `environments/dev/${stack}.tfvars.json`), text);
    }
    try {
      return loadEnvironment(root, 'dev');
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      // Where an example does not help either, what the message names as the reason goes.
      const reasons =
        attempts < 5 ? [] : error.faults.flatMap(({ message }) => message.split(/\W+/));
      for (const variables of stacks.values()) for (const name of reasons) variables.delete(name);
      for (const place of new Set(error.faults.map(placeOf))) {
        const [stack = '', name = ''] = place.split('.');
        for (const [other, variables] of stacks) {
          if (stack !== COMMON && other !== stack) continue;
          if (!variables.delete(name)) variables.set(name, TABLES[other]?.[name]?.example);
        }
      }
    }
  }
  return accepted({ region, foundation_network: {}, file_processing: {}, postgres_on_demand: {} });
}

function synthesized({ fileProcessing, foundationNetwork, postgresOnDemand }: Environment): Model {
  const app = new App();
  const environment = 'dev';
  const stacks: TerraformStack[] = [];
  if (foundationNetwork) {
    const props = { environment, settings: foundationNetwork };
    stacks.push(new FoundationNetworkStack(app, 'foundation-network', props));
  }
  if (postgresOnDemand) {
    const props = { environment, settings: postgresOnDemand };
    stacks.push(new PostgresOnDemandStack(app, 'postgres-on-demand', props));
  }
  const onDemand = fileProcessing.database === 'on_demand' && postgresOnDemand;
  stacks.push(
    new FileProcessingStack(app, 'file-processing', {
      environment,
      settings: fileProcessing,
      ...(onDemand && { findDatabase: databaseFinder(onDemand) }),
    }),
  );
  return modelOfJson(
    Object.fromEntries(
      stacks.map((stack) => [stack.node.id, JSON.parse(Testing.synth(stack)) as TerraformJson]),
    ),
  );
}

/** What names what, and the most characters that AWS takes; a prefix leaves room for 26 digits. */
const NAMES: readonly (readonly [type: string, attribute: string, longest: number])[] = [
  ['aws_iam_role', 'name', 64],
  ['aws_iam_policy', 'name', 128],
  ['aws_sns_topic', 'name', 256],
  ['aws_sqs_queue', 'name', 80],
  ['aws_kms_alias', 'name', 256],
  ['aws_eks_cluster', 'name', 100],
  ['aws_eks_node_group', 'node_group_name_prefix', 63 - 26],
  ['aws_launch_template', 'name', 128],
  ['aws_ecr_repository', 'name', 256],
  ['aws_cloudwatch_log_group', 'name', 512],
  ['aws_cloudwatch_metric_alarm', 'alarm_name', 255],
  ['aws_db_instance', 'identifier', 63],
  ['aws_rds_cluster', 'cluster_identifier', 63],
  ['aws_rds_cluster_instance', 'identifier', 63],
  ['aws_db_subnet_group', 'name', 255],
  ['aws_db_parameter_group', 'name', 255],
  ['aws_rds_cluster_parameter_group', 'name', 255],
  ['aws_db_instance', 'final_snapshot_identifier', 255],
  ['aws_s3_bucket_notification', 'bucket', 63],
];

/** Names that are too long for AWS, or that two have. */
function faultsOfNames(model: Model): readonly string[] {
  return NAMES.flatMap(([type, attribute, longest]) => {
    const names = model
      .ofType(type)
      .map(({ attributes }) => attributes[attribute])
      .filter((name) => typeof name === 'string');
    return names
      .filter((name, index) => name.length > longest || names.indexOf(name) !== index)
      .map((name) => `${type} ${name}`);
  });
}

/** Rules that settings may break: their descriptions say so, a warning does, or stacks were told different things. */
const CHOSEN = new Set([
  ...['account-is-known', 'alarms-have-actions', 'aws-policies-of-role'],
  ...['bucket-has-event-notification', 'cluster-api-private', 'cluster-api-reachable'],
  ...['database-can-be-restored', 'database-is-maintained', 'delivery-is-retried'],
  ...['host-of-own-partition', 'images-are-kept'],
  ...['listener-has-memory', 'listener-is-not-weakened', 'listener-settings-are-complete'],
  ...['listener-settings-are-known', 'listener-settings-match-stack'],
  ...['load-balancer-terminates-tls', 'lookup-is-checked', 'lookup-names-what-it-finds'],
  ...['network-policy-blocks-instance-metadata', 'network-policy-limits-ingress'],
  ...['node-metadata-protected', 'nodes-are-private', 'nodes-hold-all-pods'],
  ...[
    'nodes-survive-updates',
    'pod-fits-the-nodes',
    'queue-has-redrive',
    'queue-needs-no-endpoint',
  ],
  ...['scaler-knows-its-database', 'subnets-have-addresses'],
  ...['subscription-is-confirmed', 'subscription-matches-endpoint', 'topic-has-subscription'],
  ...['vpc-has-flow-log', 'workload-has-two-pods'],
]);

const RULES = ALL_RULES.filter(({ id }) => !CHOSEN.has(id));

it('whatever is accepted synthesizes, with names that AWS takes, and is sound to the audit', () => {
  fc.assert(
    fc.property(environments, (generated) => {
      const environment = accepted(generated);
      const model = synthesizedOrRefused(environment);
      if (model === undefined) return;
      const audited = { model, objects: kubernetesObjects(model), now: new Date('2026-11-28') };
      const findings = runRules(RULES, audited).flatMap(({ rule, address, faults }) =>
        faults.map((fault) => `${rule}: ${address} ${fault}`),
      );
      // Before it has an endpoint, and where no bucket tells it, as another rule says.
      const idle =
        'resource-in-use: aws_sns_topic.file_processing nothing uses it as what it is for';
      expect([...faultsOfNames(model), ...findings.filter((finding) => finding !== idle)]).toEqual(
        [],
      );
    }),
    // Some seconds; to shrink a failure takes minutes, and its message has all settings.
    { numRuns: 25, endOnFailure: true },
  );
});

/** Undefined for what only a stack can refuse. */
function synthesizedOrRefused(environment: Environment): Model | undefined {
  try {
    return synthesized(environment);
  } catch (error) {
    if (error instanceof SettingsError) return undefined;
    throw error;
  }
}
