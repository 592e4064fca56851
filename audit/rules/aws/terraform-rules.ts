import { partitionOf } from '@file-processing/contract/partition.ts';
import { type StackModel, valueAt } from '../../../src/synthesized/model/model.ts';
import { type Rule, rule } from '../rule.ts';
import { faultsOf } from './attributes.ts';

const stacks = ({ model }: { readonly model: { readonly stacks: readonly StackModel[] } }) =>
  model.stacks.map((stack) => ({ stack: stack.name, address: 'terraform', model: stack }));

/** Where the state of a stack lies. */
export const stateIsKept: Rule = rule({
  id: 'state-is-kept',
  title: 'Every stack keeps its state encrypted, locked and to itself',
  reason:
    'Two stacks with one state destroy each other, two people without a lock corrupt it, and it holds what the API answered.',
  control: 'SC-28(1)',
  severity: 'high',
  subjects: stacks,
  faults: ({ stack, model: { json } }, { model }) => {
    const backends = Object.entries(valueAt(json.terraform, 'backend') ?? {});
    const [entry, ...more] = backends;
    if (entry === undefined || more.length > 0) return ['there must be exactly one backend'];
    const [type, backend] = entry;
    const others = model.stacks.filter(({ name }) => name !== stack);
    const same = others.filter((other) => location(other) === location(model.stackOf({ stack })));
    const unlike = others.filter((other) => home(other) !== home(model.stackOf({ stack })));
    const at = (path: string) => valueAt(backend, path);
    const path = String(at('path') ?? '');
    const { partition } = model.stackOf({ stack });
    return [
      ...same.map(({ name }) => `its state is that of ${name}`),
      ...others
        .filter((other) => folderOf(other) !== folderOf(model.stackOf({ stack })))
        .map(({ name }) => `its state is not in the folder of that of ${name}`),
      ...unlike.map(({ name }) => `its backend is not like that of ${name}`),
      ...(type === 's3'
        ? faultsOf(
            [at('encrypt') !== true, 'encrypt must be true'],
            [at('use_lockfile') !== true, 'use_lockfile must be true'],
            [String(at('bucket') ?? '') === '', 'bucket is missing'],
            [String(at('key') ?? '') === '', 'key is missing'],
            [
              partitionOf(String(at('region') ?? '')).name !== partition,
              `region is ${String(at('region') ?? 'missing')}, not in partition ${partition}`,
            ],
            [
              at('kms_key_id') !== undefined &&
                !String(at('kms_key_id')).includes(`:kms:${String(at('region'))}:`),
              `kms_key_id is not in region ${String(at('region'))}`,
            ],
            [
              model
                .ofType('aws_s3_bucket_notification')
                .some(({ attributes }) => attributes.bucket === at('bucket')),
              `bucket is ${String(at('bucket'))}, in which others deliver files`,
            ],
          )
        : []),
      ...(type === 'local'
        ? faultsOf([
            path === '' || path.startsWith('/'),
            `path is ${path || 'missing'}: give one relative to the stack's folder`,
          ])
        : []),
      ...(['s3', 'local'].includes(type) ? [] : [`backend ${type} has not been reviewed`]),
      ...Object.keys(backend)
        .filter((argument) => !BACKEND_ARGUMENTS.includes(argument))
        .map((argument) => `${argument} has not been reviewed`),
    ];
  },
});

const BACKEND_ARGUMENTS = [
  ...['bucket', 'encrypt', 'key', 'kms_key_id', 'region', 'use_lockfile', 'path'],
  ...['profile', 'dynamodb_table', 'workspace_key_prefix'],
];

/** Versions that were tried. */
export const versionsAreBounded: Rule = rule({
  id: 'versions-are-bounded',
  title: 'Terraform and its providers have a tried version as a bound',
  reason:
    'A new major version of a provider changes defaults; without a bound the next init takes it, and with an old Terraform an ephemeral password would be kept.',
  control: 'CM-2',
  severity: 'medium',
  subjects: stacks,
  faults: ({ model: { json } }) => {
    const providers = valueAt(json.terraform, 'required_providers') ?? {};
    const used = new Set(
      [...Object.keys(json.resource ?? {}), ...Object.keys(json.data ?? {})].map(
        (type) => type.split('_')[0] ?? '',
      ),
    );
    return [
      ...faultsOf([
        !/^(>=|~>)\s*1\.(1[1-9]|[2-9]\d)/.test(String(valueAt(json.terraform, 'required_version'))),
        'required_version must ask for at least 1.11, the first with write-only arguments',
      ]),
      ...[...used]
        .filter((name) => valueAt(providers, name) === undefined)
        .map((name) => `provider ${name} is not among required_providers`),
      ...Object.entries(providers).flatMap(([name, provider]) => {
        const version = String(valueAt(provider, 'version') ?? '');
        return faultsOf(
          [
            !/^(~>\s*\d+\.\d+(\.\d+)?|=?\s*\d+\.\d+\.\d+|.*<\s*=?\s*\d.*)$/.test(version),
            `the version of provider ${name} has no upper bound: ${version || 'missing'}`,
          ],
          [
            !/^hashicorp\//.test(String(valueAt(provider, 'source'))),
            `provider ${name} comes from ${String(valueAt(provider, 'source'))}`,
          ],
          [
            name === 'aws' && Number(/\d+/.exec(version)?.[0]) < TRIED_AWS,
            `the version of provider aws is ${version}; tried is ${TRIED_AWS}`,
          ],
        );
      }),
    ];
  },
});

/** Major version of the AWS provider that the stacks were tried with. */
const TRIED_AWS = 6;

/** Folder of a state in its bucket: one environment has one. */
function folderOf({ json }: StackModel): string {
  const key = valueAt(json.terraform, 'backend.s3.key');
  return String(key ?? '').replace(/[^/]*$/, '');
}

function location({ json }: StackModel): string {
  const [type = '', backend] = Object.entries(valueAt(json.terraform, 'backend') ?? {})[0] ?? [];
  return [type, ...['bucket', 'key', 'path'].map((path) => String(valueAt(backend, path)))].join();
}

function home({ json }: StackModel): string {
  const [type = '', backend] = Object.entries(valueAt(json.terraform, 'backend') ?? {})[0] ?? [];
  return [
    type,
    ...['bucket', 'region', 'kms_key_id', 'encrypt', 'use_lockfile'].map((path) =>
      String(valueAt(backend, path)),
    ),
  ].join();
}

/** Rules on Terraform's own settings. */
export const TERRAFORM_RULES: readonly Rule[] = [stateIsKept, versionsAreBounded];
