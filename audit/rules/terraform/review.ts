import { blocksOf } from '../../../src/synthesized/model/model.ts';
import type { Attributes } from '../../../src/synthesized/synthesized-stack.ts';
import { kubernetesKind } from '../../../src/synthesized/views/kubernetes-fields.ts';
import { type Rule, rule, shown } from '../rule.ts';
import {
  REVIEWED_ANNOTATIONS,
  REVIEWED_ARGUMENTS,
  REVIEWED_DATA,
  REVIEWED_EVERYWHERE,
  REVIEWED_FIELDS,
} from './reviewed.ts';

const BLOCKS = [
  ...['//', 'resource', 'data', 'variable', 'locals', 'output', 'provider', 'terraform', 'check'],
  ...['moved', 'removed'],
];

/** What a stack may let go without destroying it: queues that doctor names, and what a setting gives to others. */
const LEFT_BEHIND = [
  ...['aws_sqs_queue', 'aws_iam_openid_connect_provider'],
  ...['kubernetes_namespace_v1', 'kubernetes_secret_v1'],
];

const typeOf = (address: unknown) => String(address).split('.')[0] ?? '';

/** Paths of arguments that are not among the known ones; blocks are looked into where they are known. */
function unknownArguments(
  attributes: Attributes,
  known: readonly string[],
  prefix: string,
): readonly string[] {
  return Object.entries(attributes).flatMap(([name, value]) => {
    const path = `${prefix}${name}`;
    if (prefix === '' && REVIEWED_EVERYWHERE.includes(name)) return [];
    if (known.includes(path)) return [];
    if (!known.some((other) => other.startsWith(`${path}.`))) return [path];
    return blocksOf(value).flatMap((block) => unknownArguments(block, known, `${path}.`));
  });
}

/** Controllers and admission hooks that read annotations; what others write there is a note. */
const ACTING =
  /(^|\.)(kubernetes\.io|k8s\.io|k8s\.aws|amazonaws\.com|istio\.io|linkerd\.io|cilium\.io|projectcalico\.org|cert-manager\.io|hashicorp\.com|nginx\.org|traefik\.io|datadoghq\.com|stakater\.com|karpenter\.sh|keda\.sh|argoproj\.io)\//;

function annotationsIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, below]) =>
    key === 'annotations' ? Object.keys(Object(below)) : annotationsIn(below),
  );
}

/** Paths of fields that are not among the known ones; lists are seen through. */
function unknownFields(value: unknown, known: readonly string[], path: string): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item) => unknownFields(item, known, path));
  if (known.includes(path)) return [];
  if (path !== '' && !known.some((other) => other.startsWith(`${path}.`))) return [path];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, below]) =>
    unknownFields(below, known, path === '' ? name : `${path}.${name}`),
  );
}

/** Rules on what the other rules do not know. */
export const REVIEW_RULES: readonly Rule[] = [
  rule({
    id: 'type-is-reviewed',
    title: 'Every resource and data source is of a type that the rules know',
    reason:
      'A user with keys, a public bucket or a function that is added is judged by no rule, nor is a resource that patches objects of others: the audit would be green for want of an opinion.',
    control: 'CM-3(2)',
    severity: 'medium',
    subjects: ({ model }) => model.stacks.flatMap(({ resources, data }) => [...resources, ...data]),
    faults: ({ mode, type }) => {
      const known =
        mode === 'data'
          ? REVIEWED_DATA.includes(type)
          : type in REVIEWED_ARGUMENTS ||
            (/^kubernetes_\w+_v\d$/.test(type) && kubernetesKind(type) !== undefined);
      return known ? [] : [`no rule has an opinion on ${type}: review it, and add it to the rules`];
    },
  }),
  rule({
    id: 'argument-is-reviewed',
    title: 'Every argument of an AWS resource is one that the rules know',
    reason:
      'What a line adds can undo what all others secure: a second subnet list, a policy of its own, a way around a check.',
    control: 'CM-3(2)',
    severity: 'medium',
    subjects: ({ model }) => model.resources.filter(({ type }) => type in REVIEWED_ARGUMENTS),
    faults: ({ type, attributes }) => {
      const known = REVIEWED_ARGUMENTS[type] ?? [];
      return unknownArguments(attributes, known, '').map(
        (path) => `no rule has an opinion on ${path}: review it, and add it to the rules`,
      );
    },
  }),
  rule({
    id: 'only-known-blocks',
    title:
      'A stack has resources, data, variables, locals, outputs and checks, moves a resource to its own type only, and leaves behind only queues and what the settings give to others',
    reason:
      'A module is code from elsewhere, an import takes over what others made, and what is removed from the state without being destroyed is watched by nobody; a queue is, by doctor, for the messages that wait in it, and an OIDC provider, a namespace or a Secret that is given to others is theirs to watch.',
    control: 'CM-3(2)',
    severity: 'medium',
    subjects: ({ model }) =>
      model.stacks.map(({ name, json }) => ({ stack: name, address: 'terraform', json })),
    faults: ({ json }) => [
      ...Object.keys(json)
        .filter((block) => !BLOCKS.includes(block))
        .map((block) => `has ${block} blocks`),
      ...blocksOf(json.moved)
        .filter(({ from, to }) => typeOf(from) !== typeOf(to))
        .map(({ from, to }) => `moves ${String(from)} to ${String(to)}, which is of another type`),
      ...blocksOf(json.removed)
        .filter(({ from }) => !LEFT_BEHIND.includes(typeOf(from)))
        .map(({ from }) => `leaves ${String(from)} behind, which nobody watches then`),
      ...Object.keys(json.terraform ?? {})
        .filter((block) => !['backend', 'required_providers', 'required_version'].includes(block))
        .map((block) => `terraform has ${block}`),
      ...Object.keys(json.provider ?? {})
        .filter((provider) => !['aws', 'kubernetes'].includes(provider))
        .map((provider) => `has a provider ${provider}`),
    ],
  }),
  rule({
    id: 'field-is-reviewed',
    title: 'Every field of a Kubernetes object is one that the rules know',
    reason:
      'A hook at start, a DNS server of its own, a readiness gate that nobody fulfils or an affinity of sessions is one line, and no rule on other lines sees it.',
    control: 'CM-3(2)',
    severity: 'medium',
    subjects: ({ objects }) => objects,
    faults: ({ manifest }) => {
      const known = REVIEWED_FIELDS[manifest.kind];
      if (known === undefined) {
        return [`no rule has an opinion on the kind ${shown(manifest.kind)}: review it first`];
      }
      return [...new Set(unknownFields(manifest, known, ''))].map(
        (path) => `no rule has an opinion on ${path}: review it, and add it to the rules`,
      );
    },
  }),
  rule({
    id: 'annotation-is-reviewed',
    title: 'Every annotation that a controller acts on is one that the rules know',
    reason:
      'An annotation opens a load balancer to other subnets and groups, points a name elsewhere, injects a container or forbids to drain a node, and a slip in its name does nothing at all.',
    control: 'CM-3(2)',
    severity: 'medium',
    subjects: ({ objects }) => objects,
    faults: ({ manifest }) =>
      annotationsIn(manifest)
        .filter((name) => ACTING.test(name) && !REVIEWED_ANNOTATIONS.includes(name))
        .map((name) => `no rule has an opinion on the annotation ${name}: review it first`),
  }),
];
