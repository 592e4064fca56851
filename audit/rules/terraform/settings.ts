import { isDeepStrictEqual } from 'node:util';
import { accountsIn, isRoleArn } from '@file-processing/contract/arn.ts';
import { isRegion, partitionOf } from '@file-processing/contract/partition.ts';
import { expressionsIn, referencesIn } from '../../../src/synthesized/model/expression.ts';
import { blocksOf, type StackModel, valueAt } from '../../../src/synthesized/model/model.ts';
import type { Attributes } from '../../../src/synthesized/synthesized-stack.ts';
import { canonical } from '../../policy/policies.ts';
import { parseJson } from '../../policy/policy-document.ts';
import { isGiven, listOf, nameIn, namingBlocks } from '../readers/resources.ts';
import { type Audited, type Faults, type Rule, rule, type Settings, shown } from '../rule.ts';
import known from './settings.json' with { type: 'json' };

const stacks = ({ model }: { readonly model: { readonly stacks: readonly StackModel[] } }) =>
  model.stacks.map((stack) => ({ stack: stack.name, address: 'terraform', model: stack }));

/** Minor version of the Kubernetes provider that write-only data came with. */
const FIRST_WRITE_ONLY = 36;

/** The minor version that a version of the Kubernetes provider is pinned to, of major version 2; NaN for none. */
function minorOf(version: string): number {
  return Number(
    (/^~>\s*2\.(\d+)(\.\d+)?$/.exec(version) ?? /^(?:=\s*)?2\.(\d+)\.\d+$/.exec(version))?.[1],
  );
}

/** Major version of the AWS provider that the stacks were tried with. */
const TRIED_AWS = 6;

/** Folder of a state in its bucket: one environment has one. */
function folderOf({ json }: StackModel): string {
  const key = valueAt(json.terraform, 'backend.s3.key');
  return String(key ?? '').replace(/[^/]*$/, '');
}

/** Some arguments of a stack's backend as one text, behind its kind. */
function backendText({ json }: StackModel, ...paths: readonly string[]): string {
  const [type, backend] = Object.entries(valueAt(json.terraform, 'backend') ?? {})[0] ?? [];
  return JSON.stringify([type, ...paths.map((path) => valueAt(backend, path))]);
}

const location = (stack: StackModel) => backendText(stack, 'bucket', 'key', 'path');

const home = (stack: StackModel) =>
  backendText(
    stack,
    ...['bucket', 'region', 'kms_key_id', 'encrypt', 'use_lockfile', 'assume_role'],
  );

/** The words of an argument list: a list, or an expression that joins some. */
function argumentsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map(String);
  if (typeof value !== 'string') return [];
  return expressionsIn(value).flatMap((expression) =>
    [...expression.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word = '']) => word),
  );
}

const ARN = /\barn:([^:\s"]*):([^:\s"]*):([^:\s"]*):((?:\$\{[^}]*\}|[^:\s"])*):/g;
const HOST = /\b((?:[a-z0-9-]+\.)*)([a-z]+(?:-[a-z]+)+-\d)\.(amazonaws\.com(?:\.cn)?)\b/g;

/** Whether the AWS provider of a stack calls the FIPS endpoints. */
export function usesFips({ json }: Pick<StackModel, 'json'>): boolean {
  return blocksOf(json.provider?.aws)[0]?.use_fips_endpoint === true;
}

/** Whether a stack is to call the FIPS endpoints: the settings say so, or without them its provider. */
export function wantsFips({ settings }: Pick<Audited, 'settings'>, stack: StackModel): boolean {
  return (settings?.[stack.name]?.fips_endpoints ?? usesFips(stack)) === true;
}

/** The role that the AWS provider of a stack assumes; undefined for none. */
function assumedRole({ json }: Pick<StackModel, 'json'>): Attributes | undefined {
  const [role, ...more] = blocksOf(blocksOf(json.provider?.aws)[0]?.assume_role);
  return more.length === 0 ? role : {};
}

/** What is wrong with a role that is assumed: its ARN, or what else is asked for with it. */
function roleFaults(role: Attributes | undefined, name: string): Faults {
  if (role === undefined) return [];
  return [
    !isRoleArn(String(role.role_arn)) && `${name}.role_arn is ${shown(role.role_arn)}`,
    ...Object.keys(role)
      .filter((argument) => !['role_arn', 'external_id', 'session_name'].includes(argument))
      .map((argument) => `${name}.${argument} changes the identity that is used`),
  ];
}

function accountsOf({ json }: StackModel): string | undefined {
  const accounts = blocksOf(json.provider?.aws)[0]?.allowed_account_ids;
  return isGiven(accounts) ? JSON.stringify(accounts) : undefined;
}

/** Whether both are there and not the same: one that names none is held to none. */
function differ(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other;
}

function profileOf({ json }: StackModel): string {
  return String(blocksOf(json.provider?.aws)[0]?.profile);
}

function stringsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [key, ...stringsIn(item)]);
}

/** Arguments, variables and elements of policies whose value is an account by its number alone. */
const HOLDS_ACCOUNT = new RegExp(known.holdsAccount, 'i');

/** Where an ARN has its account, and hosts of queues and registries, which name one too; partition and region may be expressions. */
const PLACES_OF_ACCOUNTS = [
  /\barn:(?:\$\{[^}]*\}|[\w*?-]+):[\w*-]+:(?:\$\{[^}]*\}|[\w*?-]*):(\d{12}):/g,
  /\b(?:sqs[\w.-]*|queue)\.amazonaws\.com(?:\.cn)?\/(\d{12})\//g,
];

/** Accounts in a value, however they are written: in ARNs, hosts, and by their number where that is one. */
function accountsNamed(value: unknown, key = ''): readonly string[] {
  if (typeof value === 'string' || typeof value === 'number') {
    const text = String(value);
    // Most texts name no account: asked first, it saves nearly all of the work. JSON may write digits as escapes.
    if (!/\d{12}|\\u/.test(text)) return [];
    const document = text.startsWith('{') || text.startsWith('[') ? parseJson(text) : undefined;
    if (typeof document === 'object' && document !== null) return accountsNamed(document, key);
    return [
      ...accountsIn(text),
      ...PLACES_OF_ACCOUNTS.flatMap((place) =>
        [...text.matchAll(place)].map(([, one = '']) => one),
      ),
      ...(HOLDS_ACCOUNT.test(key) && /^\d{12}$/.test(text) ? [text] : []),
    ];
  }
  if (Array.isArray(value)) return value.flatMap((item) => accountsNamed(item, key));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) => [
    ...accountsNamed(name),
    ...accountsNamed(item, name),
  ]);
}

const read = new WeakMap<StackModel, readonly string[]>();

/** Accounts in all blocks of a stack, each once. Read once, since every block of every stack is held against them. */
function accountsOfStack(stack: StackModel): readonly string[] {
  const known = read.get(stack);
  if (known !== undefined) return known;
  const accounts = [...new Set(namingBlocks(stack).flatMap(({ value }) => accountsNamed(value)))];
  read.set(stack, accounts);
  return accounts;
}

/** The account and the trusted ones of a stack's settings; undefined where these name no account of its own. */
function accountsOfSettings(settings: Settings | undefined, stack: string) {
  const own = settings?.[stack];
  if (own === undefined) return undefined;
  const { account_id: account, trusted_accounts: trusted, buckets, routing_targets: targets } = own;
  const others = [...listOf(trusted), ...accountsNamed([buckets, targets])].map(String);
  return String(account ?? '') === ''
    ? // Who names none of its own has those that its settings name.
      [...accountsNamed(own), ...others]
    : [String(account), ...others];
}

/**
 * The stack's own account and those that it trusts: what the settings say; without them `allowed_account_ids`, and a local that
 * lists nothing but accounts. Where neither says which the own one is, it is the only literal one of all stacks.
 */
function knownAccounts({ model, settings }: Audited, stack: StackModel): readonly string[] {
  const own = listOf(blocksOf(stack.json.provider?.aws)[0]?.allowed_account_ids).map(String);
  const configured = accountsOfSettings(settings, stack.name);
  if (configured !== undefined) {
    // A provider that takes one account's credentials alone says whose stack it is, if the settings don't.
    return settings?.[stack.name]?.account_id === '' ? [...configured, ...own] : configured;
  }
  const trusted = Object.values(stack.json.locals ?? {})
    .map((value) => listOf(value).map(String))
    .filter((list) => list.every((account) => /^\d{12}$/.test(account)))
    .flat();
  if (own.length > 0) return [...own, ...trusted];
  const named = model.stacks.flatMap(accountsOfStack);
  const others = new Set(named.filter((account) => !trusted.includes(account)));
  return others.size === 1 ? named : trusted;
}

/** What is open, costs or grants as long as it runs, so that nobody may let it go without destroying it. */
const LEFT_BEHIND = new RegExp(known.leftBehind);

const typeOf = (address: unknown) => String(address).split('.')[0] ?? '';

/** Rules on Terraform's own settings, providers, partitions and regions. */
export const TERRAFORM_RULES: readonly Rule[] = [
  rule({
    id: 'state-is-kept',
    subjects: stacks,
    faults: ({ stack, model: { json } }, { model, settings }) => {
      const backends = Object.entries(valueAt(json.terraform, 'backend') ?? {});
      const [entry, ...more] = backends;
      if (entry === undefined || more.length > 0) return ['there must be exactly one backend'];
      const [type, backend] = entry;
      const own = model.stackOf({ stack });
      const others = model.stacks.filter(({ name }) => name !== stack);
      const at = (path: string) => valueAt(backend, path);
      const path = String(at('path') ?? '');
      const { partition } = own;
      return [
        ...others.flatMap((other) => [
          location(other) === location(own) && `its state is that of ${other.name}`,
          folderOf(other) !== folderOf(own) &&
            `its state is not in the folder of that of ${other.name}`,
          home(other) !== home(own) && `its backend is not like that of ${other.name}`,
        ]),
        ...(type === 's3'
          ? [
              at('encrypt') !== true && 'encrypt must be true',
              wantsFips({ settings }, own) &&
                at('use_fips_endpoint') !== true &&
                'use_fips_endpoint is not as in its provider',
              at('use_lockfile') !== true && 'use_lockfile must be true',
              String(at('bucket') ?? '') === '' && 'bucket is missing',
              String(at('key') ?? '') === '' && 'key is missing',
              partitionOf(String(at('region') ?? '')).name !== partition &&
                `region is ${String(at('region') ?? 'missing')}, not in partition ${partition}`,
              at('kms_key_id') !== undefined &&
                !String(at('kms_key_id')).includes(`:kms:${String(at('region'))}:`) &&
                `kms_key_id is not in region ${String(at('region'))}`,
              model
                .ofType('aws_s3_bucket_notification')
                .some(({ attributes }) => attributes.bucket === at('bucket')) &&
                `bucket is ${String(at('bucket'))}, in which others deliver files`,
            ]
          : []),
        ...(type === 'local'
          ? [
              (path === '' || path.startsWith('/')) &&
                `path is ${path || 'missing'}: give one relative to the stack's folder`,
            ]
          : []),
        ...roleFaults(blocksOf(at('assume_role'))[0], 'assume_role'),
        ...(['s3', 'local'].includes(type) ? [] : [`backend ${type} is neither s3 nor local`]),
        ...Object.keys(backend)
          .filter((argument) => !known.backend.includes(argument) && isGiven(at(argument)))
          .map(
            (argument) =>
              `${argument} changes the place of the state, or the identity that writes it`,
          ),
      ];
    },
  }),
  rule({
    id: 'versions-are-bounded',
    subjects: stacks,
    faults: ({ model: { json } }) => {
      const providers = valueAt(json.terraform, 'required_providers') ?? {};
      const used = new Set(
        [...Object.keys(json.resource ?? {}), ...Object.keys(json.data ?? {})].map(
          (type) => type.split('_')[0] ?? '',
        ),
      );
      return [
        !/^(>=|~>)\s*1\.(1[1-9]|[2-9]\d)/.test(
          String(valueAt(json.terraform, 'required_version')),
        ) && 'required_version must ask for at least 1.11, the first with write-only arguments',
        ...[...used]
          // Terraform's own provider is a part of it.
          .filter((name) => name !== 'terraform' && valueAt(providers, name) === undefined)
          .map((name) => `provider ${name} is not among required_providers`),
        ...Object.entries(providers).flatMap(([name, provider]) => {
          const version = String(valueAt(provider, 'version') ?? '');
          return [
            !/^(~>\s*\d+\.\d+(\.\d+)?|=?\s*\d+\.\d+\.\d+|.*<\s*=?\s*\d.*)$/.test(version) &&
              `the version of provider ${name} has no upper bound: ${version || 'missing'}`,
            valueAt(provider, 'source') !== `hashicorp/${name}` &&
              `provider ${name} comes from ${String(valueAt(provider, 'source'))}`,
            name === 'kubernetes' &&
              !(minorOf(version) >= FIRST_WRITE_ONLY) &&
              `the version of provider kubernetes is ${version || 'missing'}, must be ~> 2.${FIRST_WRITE_ONLY} or later of the same major version: older ones have no write-only data`,
            name === 'aws' &&
              Number(/\d+/.exec(version)?.[0]) < TRIED_AWS &&
              `the version of provider aws is ${version}; tried is ${TRIED_AWS}`,
          ];
        }),
      ];
    },
  }),
  rule({
    id: 'provider-matches-its-cluster',
    subjects: ({ model }) =>
      model.stacks.flatMap(({ name, json }) =>
        blocksOf(json.provider?.kubernetes).map((provider, index) => ({
          stack: name,
          address: index === 0 ? 'provider.kubernetes' : `provider.kubernetes[${index}]`,
          provider,
        })),
      ),
    faults: ({ stack, provider }, { model }) => {
      const own = model.stackOf({ stack });
      const cluster = (value: unknown) =>
        referencesIn(value).find(({ address }) => own.at(address)?.type === 'aws_eks_cluster');
      const host = cluster(provider.host);
      const authority = cluster(provider.cluster_ca_certificate);
      const [exec] = blocksOf(provider.exec);
      const args = argumentsOf(exec?.args);
      const after = (flag: string) => args[args.indexOf(flag) + 1];
      const named = (flag: string) =>
        args.includes(flag) ? canonical(own, after(flag)) : undefined;
      const name = host && canonical(own, own.at(host.address)?.attributes.name);
      const assumed = assumedRole(own)?.role_arn;
      const role = assumed === undefined ? undefined : canonical(own, assumed);
      return [
        (host === undefined || host.attribute !== 'endpoint') &&
          `its host ${shown(provider.host)} is not the endpoint of a cluster of this stack`,
        (authority === undefined || authority.address !== host?.address) &&
          'cluster_ca_certificate is not that of the cluster that it talks to',
        (provider.insecure === true || provider.insecure === 'true') &&
          'insecure: it checks no certificate',
        ...known.credentials
          .filter((argument) => provider[argument] !== undefined)
          .map((argument) => `${argument} takes precedence over a fresh token of the cluster`),
        ...Object.keys(provider)
          .filter((argument) => ![...known.kubernetes, ...known.credentials].includes(argument))
          .map((argument) => `${argument} changes where it deploys, or what it sees`),
        ...Object.keys(exec ?? {})
          .filter((argument) => !['api_version', 'args', 'command'].includes(argument))
          .map((argument) => `exec has ${argument}, by which it may sign in as somebody else`),
        ...args
          .filter((word) => word.startsWith('--') && !known.flags.includes(word))
          .map((word) => `exec has ${word}, by which it may sign in as somebody else`),
        exec !== undefined &&
          (named('--role-arn') ?? '') !== (role ?? '') &&
          `exec signs in as ${shown(named('--role-arn'))}, the AWS provider as ${shown(role)}`,
        exec === undefined && 'has no exec that fetches a fresh token',
        exec !== undefined &&
          !(exec.command === 'aws' && args.includes('get-token')) &&
          'exec must run aws eks get-token',
        exec !== undefined &&
          name !== undefined &&
          named('--cluster-name') !== name &&
          `its token is for ${shown(named('--cluster-name'))}, the cluster is ${name}`,
        exec !== undefined &&
          named('--region') !== own.region &&
          `its token is asked for in ${shown(named('--region'))}, the stack is in ${own.region}`,
        exec !== undefined &&
          !/^client\.authentication\.k8s\.io\/v1(beta1)?$/.test(String(exec.api_version)) &&
          `exec has api_version ${shown(exec?.api_version)}`,
      ];
    },
  }),
  rule({
    id: 'arn-of-own-partition',
    subjects: ({ model }) => model.stacks.flatMap(namingBlocks),
    faults: ({ stack, value }, { model }) => {
      const { partition, region } = model.stackOf({ stack });
      return stringsIn(value).flatMap((text) =>
        [...text.matchAll(ARN)].flatMap(([arn, itsPartition, , itsRegion = '']) => [
          itsPartition !== partition && `${arn}… is of partition ${itsPartition}, not ${partition}`,
          isRegion(itsRegion) &&
            itsRegion !== region &&
            `${arn}… is in ${itsRegion}, the stack in ${region}`,
        ]),
      );
    },
  }),
  rule({
    id: 'account-is-known',
    subjects: ({ model }) => model.stacks.flatMap(namingBlocks),
    faults: ({ stack, address, value }, audited) => {
      const accounts = knownAccounts(audited, audited.model.stackOf({ stack }));
      return [...new Set(accountsNamed(value, nameIn(address)))]
        .filter((account) => !accounts.includes(account))
        .map((account) => `account ${account} is neither account_id nor in trusted_accounts`);
    },
  }),
  rule({
    id: 'host-of-own-partition',
    subjects: ({ model }) => model.stacks.flatMap(namingBlocks),
    faults: ({ stack, value }, { model }) => {
      const { region } = model.stackOf({ stack });
      const suffix = partitionOf(region).dnsSuffix;
      // Asked first, it saves most of the work: HOST begins at each word.
      const naming = stringsIn(value).filter((text) => /amazonaws|--region/.test(text));
      return naming.flatMap((text) => [
        ...[...text.matchAll(HOST)]
          .filter(([, , its = '']) => isRegion(its))
          .flatMap(([host, , its = '', itsSuffix]) => [
            (partitionOf(its).name !== partitionOf(region).name || itsSuffix !== suffix) &&
              `${host} is not of the partition of ${region}`,
            /^(logs|s3|sqs|sns|kms)\.$/.test(host.slice(0, host.indexOf(its))) &&
              its !== region &&
              `${host} is the host of ${its}, the stack is in ${region}`,
          ]),
        ...[...text.matchAll(/\bcom\.amazonaws\.([a-z]+(?:-[a-z]+)+-\d)\./g)]
          .filter(([, its]) => its !== region)
          .map(([name]) => `${name}… is a service of another region than ${region}`),
        ...[...text.matchAll(/"--region",\s*"([^"]*)"/g)]
          .filter(([, its]) => its !== region)
          .map(([, its]) => `--region ${its} is not the region of the stack, ${region}`),
      ]);
    },
  }),
  rule({
    id: 'one-region',
    subjects: ({ model }) =>
      model.stacks.map(({ name, json }) => ({
        stack: name,
        address: 'provider.aws',
        blocks: blocksOf(json.provider?.aws),
      })),
    faults: ({ stack, blocks }, { model, settings }) => {
      const own = model.stackOf({ stack });
      const { region, resources } = own;
      return [
        blocks.length !== 1 && `there are ${blocks.length} blocks of provider aws instead of one`,
        !isRegion(region) && `region is ${region || 'missing'}: write the region itself`,
        ...blocks.flatMap((block) =>
          Object.keys(block)
            .filter((argument) => !known.aws.includes(argument))
            .filter((argument) => isGiven(block[argument]))
            .filter((argument) => !(argument === 'sts_region' && block.sts_region === region))
            .map(
              (argument) => `${argument} changes where, or with which identity, the provider works`,
            ),
        ),
        ...blocks.flatMap(({ allowed_account_ids: accounts }) =>
          !isGiven(accounts) || /^\["\d{12}"\]$/.test(JSON.stringify(accounts))
            ? []
            : [`allowed_account_ids is ${JSON.stringify(accounts)}: name one account`],
        ),
        isGiven(settings?.[stack]?.account_id) &&
          accountsOf(own) === undefined &&
          'allowed_account_ids must name account_id of the settings',
        wantsFips({ settings }, own) &&
          !usesFips(own) &&
          'use_fips_endpoint must be true: fips_endpoints of the settings is',
        ...roleFaults(assumedRole(own), 'assume_role'),
        ...model.stacks.flatMap((other) => [
          !isDeepStrictEqual(assumedRole(other), assumedRole(own)) &&
            `assume_role is not as in ${other.name}`,
          differ(accountsOf(other), accountsOf(own)) &&
            `allowed_account_ids is not as in ${other.name}`,
          settings === undefined &&
            usesFips(other) !== usesFips(own) &&
            `use_fips_endpoint is not as in ${other.name}`,
          profileOf(other) !== profileOf(own) && `its profile is not written as in ${other.name}`,
          other.region !== region && `region is ${region}, in ${other.name} it is ${other.region}`,
        ]),
        ...resources
          .filter(
            ({ attributes }) =>
              typeof attributes.region === 'string' && attributes.region !== region,
          )
          .map(({ address }) => `${address} is in another region`),
      ];
    },
  }),
  rule({
    id: 'only-known-blocks',
    subjects: ({ model }) =>
      model.stacks.map(({ name, json }) => ({ stack: name, address: 'terraform', json })),
    faults: ({ stack, json }, { model }) => [
      ...blocksOf(json.import)
        .filter(({ to }) => model.stackOf({ stack }).at(String(to)) === undefined)
        .map(({ to }) => `imports ${String(to)}, which is not in the stack`),
      ...blocksOf(json.import)
        .filter(({ for_each, provider }) => isGiven(for_each) || isGiven(provider))
        .map(({ to }) => `imports ${String(to)} by for_each or by another provider`),
      ...Object.keys(json)
        .filter((block) => !known.blocks.includes(block))
        .map((block) => `has ${block} blocks`),
      ...blocksOf(json.moved)
        .filter(({ from, to }) => typeOf(from) !== typeOf(to))
        .map(({ from, to }) => `moves ${String(from)} to ${String(to)}, which is of another type`),
      ...blocksOf(json.removed)
        .filter((block) => String(valueAt(block, 'lifecycle.destroy')) === 'false')
        .filter(({ from }) => LEFT_BEHIND.test(typeOf(from)))
        .map(({ from }) => `abandons ${String(from)}, which nobody watches any more`),
      ...Object.keys(json.terraform ?? {})
        .filter((block) => !['backend', 'required_providers', 'required_version'].includes(block))
        .map((block) => `terraform has ${block}`),
      ...Object.keys(json.provider ?? {})
        .filter((provider) => !['aws', 'kubernetes'].includes(provider))
        .map((provider) => `has a provider ${provider}`),
    ],
  }),
];
