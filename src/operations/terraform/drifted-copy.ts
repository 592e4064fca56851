import { isObject } from '@file-processing/contract/json-object.ts';
import { asTemplate, expressionsIn } from '../../synthesized/model/expression.ts';

import {
  changesOf,
  managedResources,
  type PlanJson,
  type PlannedChange,
  type StateJson,
} from './plan-json.ts';

/**
 * How a drift was taken up. Put into the copy: `changed`, and `added` as a resource of its own, also where the state has it
 * and the JSON no more; `ignored` too, which the settings leave to others (lifecycle). Taken out of it: `missing`. Neither:
 * `foreign`, an object in the cluster that the JSON has no more; `not judged`, which is sensitive or no argument; `computed`, which AWS tells and nobody sets.
 */
export type DriftKind =
  | 'changed'
  | 'added'
  | 'ignored'
  | 'missing'
  | 'foreign'
  | 'not judged'
  | 'computed';

/** What differs between what is there and what the settings say. */
export interface Drift {
  readonly address: string;
  /** Name of the argument; empty where the whole resource is meant. */
  readonly argument: string;
  readonly kind: DriftKind;
  /** What is there now, as JSON; a sensitive value is named as such. */
  readonly is: string;
  /** What the settings say. */
  readonly wanted: string;
}

/** Whether somebody changed it against the settings: an apply would undo it, or nobody knows of it. */
export function isAgainstSettings({ kind }: Drift): boolean {
  return kind !== 'ignored' && kind !== 'computed';
}

/** A stack's JSON as it would be if it said what is there. */
export interface DriftedCopy {
  readonly json: Json;
  readonly drifts: readonly Drift[];
}

type Json = Readonly<Record<string, unknown>>;

/** Computed from `tags` and the provider's default tags: no argument of a resource. */
const NO_ARGUMENT = 'tags_all';

const SENSITIVE = '(sensitive)';

/**
 * Puts each drifted or changed argument of a refreshed plan into a copy of a stack's JSON. What is as the settings say
 * stays as it is written, expressions included; what differs is literal in AWS, so that ids are mapped back to the
 * expressions that stand for them by the state. A sensitive value is neither put into the copy nor shown.
 *
 * @param json - the stack's `cdk.tf.json`
 * @param plan - `terraform show -json` of a plan that has refreshed the state
 * @param state - the state, for the ids
 */
export function driftedCopy(json: Json, plan: PlanJson, state: StateJson): DriftedCopy {
  const copy = structuredClone(json) as { resource?: Record<string, Record<string, Json>> };
  const toExpressions = expressionsOf(json, state);
  const drifts: Drift[] = [];
  const changes = changesOf(plan);
  const planned = new Set(changes.map(({ address }) => address));
  // What lifecycle ignores is not a change of the plan: there the state says what was wanted.
  const beside = (plan.resource_drift ?? []).filter(({ address }) => !planned.has(address));
  for (const { entry, actual, wanted, isPlanned } of [
    ...changes.map(
      (entry) => ({ entry, actual: 'before', wanted: 'after', isPlanned: true }) as const,
    ),
    ...beside.map(
      (entry) => ({ entry, actual: 'after', wanted: 'before', isPlanned: false }) as const,
    ),
  ]) {
    const { address, type, change } = entry;
    const name = address.slice(type.length + 1);
    const block = copy.resource?.[type]?.[name];
    const is = change[actual];
    const says = change[wanted];
    if (block === undefined) {
      const kept = is === null ? undefined : foreignBlock(entry, is, toExpressions);
      if (kept !== undefined) {
        copy.resource = { ...copy.resource, [type]: { ...copy.resource?.[type], [name]: kept } };
      }
      const kind = kept === undefined ? 'foreign' : 'added';
      drifts.push({ address, argument: '', kind, is: 'there', wanted: 'not in the settings' });
    } else if (is === null) {
      delete copy.resource?.[type]?.[name];
      drifts.push({ address, argument: '', kind: 'missing', is: 'not there', wanted: 'there' });
    } else if (says !== null && copy.resource?.[type] !== undefined) {
      const patch = argumentsOf(entry, { is, says, block, isPlanned, toExpressions });
      copy.resource[type][name] = { ...block, ...patch.values };
      drifts.push(...patch.drifts);
    }
  }
  for (const { address, type, change } of plan.resource_drift ?? []) {
    for (const part of PARTS.filter(({ whole }) => whole === type)) {
      for (const [at, values] of strangers(part, change.after, state).entries()) {
        const named = `drifted_${address.slice(type.length + 1)}_${at + 1}`;
        const block = merged(undefined, values, undefined, toExpressions) as Json;
        copy.resource = {
          ...copy.resource,
          [part.type]: { ...copy.resource?.[part.type], [named]: block },
        };
        const [is, wanted] = [JSON.stringify(values), 'not in the settings'];
        drifts.push({ address, argument: part.list, kind: 'added', is, wanted });
      }
    }
  }
  return { json: copy, drifts };
}

/** What AWS tells of every resource, and nobody sets. */
const TOLD_BY_AWS = ['id', 'arn', NO_ARGUMENT];

/** What is in the state and not in the JSON, as a resource; undefined of the cluster, whose objects have another form there. */
function foreignBlock(
  { type, change }: PlannedChange,
  is: Json,
  toExpressions: (text: string) => string,
): Json | undefined {
  if (!type.startsWith('aws_')) return undefined;
  const set = Object.entries(is).filter(
    ([argument, value]) =>
      !isSame(value, null) &&
      !TOLD_BY_AWS.includes(argument) &&
      !isTrue(change.before_sensitive, argument),
  );
  return merged(undefined, Object.fromEntries(set), undefined, toExpressions) as Json;
}

/** A list of AWS whose members are resources of their own in the stacks: one that nobody made there is foreign. */
interface Part {
  /** Type that has the list. */
  readonly whole: string;
  readonly list: string;
  /** Type of one member. */
  readonly type: string;
  /** Arguments of a member as a resource. */
  readonly of: (member: unknown, whole: Json) => Json;
}

const CIDRS = [
  ['cidr_blocks', 'cidr_ipv4'],
  ['ipv6_cidr_blocks', 'cidr_ipv6'],
] as const;

function rulesOf(list: 'ingress' | 'egress'): Part {
  return {
    whole: 'aws_security_group',
    list,
    type: `aws_vpc_security_group_${list}_rule`,
    of: (member, { id }) => {
      const { protocol, from_port, to_port, security_groups, ...rest } = member as Json;
      const [source] = CIDRS.flatMap(([many, one]) =>
        [rest[many] ?? []].flat().map((cidr) => ({ [one]: cidr })),
      );
      const [group] = [security_groups ?? []].flat();
      return {
        security_group_id: id,
        ip_protocol: protocol,
        ...(protocol !== '-1' && { from_port, to_port }),
        ...(source ?? { referenced_security_group_id: group }),
      };
    },
  };
}

const PARTS: readonly Part[] = [
  {
    whole: 'aws_iam_role',
    list: 'managed_policy_arns',
    type: 'aws_iam_role_policy_attachment',
    of: (policy_arn, { name: role }) => ({ role, policy_arn }),
  },
  {
    whole: 'aws_iam_role',
    list: 'inline_policy',
    type: 'aws_iam_role_policy',
    of: (member, { name: role }) => {
      const { name, policy } = member as Json;
      return { role, name, policy };
    },
  },
  {
    whole: 'aws_route_table',
    list: 'route',
    type: 'aws_route',
    of: (member, { id }) => {
      const { cidr_block, ...targets } = member as Json;
      const target = Object.entries(targets).filter(([, value]) => value !== '' && value !== null);
      return {
        route_table_id: id,
        destination_cidr_block: cidr_block,
        ...Object.fromEntries(target),
      };
    },
  },
  rulesOf('ingress'),
  rulesOf('egress'),
];

/** What tells a member from the others, beside whose it is. */
const NAMES = ['policy_arn', 'name', 'destination_cidr_block'];

/** Members of a list that no resource of the state stands for, as resources. */
function strangers(
  { list, type, of }: Part,
  whole: Json | null,
  state: StateJson,
): readonly Json[] {
  const own = managedResources(state).filter((resource) => resource.type === type);
  return [whole?.[list] ?? []]
    .flat()
    .map((member) => of(member, whole ?? {}))
    .filter((made) => {
      const telling = Object.keys(made).filter((name) => NAMES.includes(name));
      const compared =
        telling.length > 0 ? [...telling, 'role', 'route_table_id'] : Object.keys(made);
      return !own.some(({ values }) =>
        compared.every((name) => isSame(values[name] ?? null, made[name] ?? null)),
      );
    });
}

interface Compared {
  readonly is: Json;
  readonly says: Json;
  readonly block: Json;
  readonly isPlanned: boolean;
  readonly toExpressions: (text: string) => string;
}

function argumentsOf(
  { address, change }: PlannedChange,
  { is, says, block, isPlanned, toExpressions }: Compared,
) {
  const values: Record<string, unknown> = {};
  const drifts: Drift[] = [];
  const names = new Set([...Object.keys(is), ...Object.keys(says)]);
  for (const argument of [...names].sort()) {
    // Unknown until an apply: computed, or of something that is made anew.
    if (isTrue(change.after_unknown, argument)) continue;
    const [now = null, then = null] = [is[argument], says[argument]];
    if (isSame(now, then)) continue;
    const sensitive =
      isTrue(change.before_sensitive, argument) || isTrue(change.after_sensitive, argument);
    // Beside a plan, what the JSON does not set is computed, such as a date.
    const isArgument = isPlanned || argument in block;
    const judged = !sensitive && argument !== NO_ARGUMENT && isArgument;
    if (judged) values[argument] = merged(block[argument], now, then, toExpressions);
    const shown = (value: unknown) => (sensitive ? SENSITIVE : JSON.stringify(value));
    drifts.push({
      address,
      argument,
      kind: kindOf(judged, isPlanned, isArgument),
      is: shown(now),
      wanted: shown(then),
    });
  }
  return { values, drifts };
}

function kindOf(judged: boolean, isPlanned: boolean, isArgument: boolean): DriftKind {
  if (judged) return isPlanned ? 'changed' : 'ignored';
  return isArgument ? 'not judged' : 'computed';
}

/** Whether Terraform marks a value, or a part of it, as unknown or sensitive. */
function isTrue(marks: unknown, argument: string): boolean {
  const holds = (mark: unknown): boolean =>
    mark === true || (typeof mark === 'object' && mark !== null && Object.values(mark).some(holds));
  return isObject(marks) && holds(marks[argument]);
}

/**
 * What is written, with what differs in its place.
 *
 * @param written - in the JSON; may be absent
 * @param is - what is there
 * @param says - what the settings come to, in the same form
 */
function merged(
  written: unknown,
  is: unknown,
  says: unknown,
  toExpressions: (text: string) => string,
): unknown {
  const next = (part: unknown, now: unknown, then: unknown) =>
    merged(part, now, then, toExpressions);
  if (written !== undefined && isSame(is, says)) return written;
  // cdktf writes a block that may be there once as an object, Terraform lists it.
  if (isObject(written) && Array.isArray(is) && is.length === 1) {
    return next(written, is[0], Array.isArray(says) ? says[0] : says);
  }
  if (isObject(is)) {
    const [old, wanted] = [isObject(written) ? written : {}, isObject(says) ? says : {}];
    return Object.fromEntries(
      Object.entries(is)
        // Without a value: what a block could hold, and does not.
        .filter(([name, value]) => value !== null || name in old)
        .map(([name, value]) => [name, next(old[name], value, wanted[name])]),
    );
  }
  if (Array.isArray(is)) {
    const [old, wanted] = [[written ?? []].flat(), [says ?? []].flat()];
    return is.map((value, index) => {
      const same = wanted.findIndex((candidate) => isSame(candidate, value));
      const at = same >= 0 ? same : index;
      return next(old[at], value, wanted[at]);
    });
  }
  if (typeof is !== 'string') return is;
  const documents = [written, is, says].map(parsed);
  if (documents.every(isObject)) {
    return JSON.stringify(next(documents[0], documents[1], documents[2]));
  }
  return toExpressions(is);
}

function parsed(text: unknown): unknown {
  if (typeof text !== 'string' || !/^\s*[{[]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The shortest value that is looked for inside of texts: an account's number. Shorter ones are whole texts. */
const SHORTEST_PART = 12;

/** Puts the expressions of the JSON in the place of what they come to by the state. */
function expressionsOf(json: Json, state: StateJson): (text: string) => string {
  const held = new Map(
    (state.resources ?? []).map(({ mode, type, name, instances = [] }) => [
      `${mode === 'data' ? 'data.' : ''}${type}.${name}`,
      instances[0]?.attributes ?? {},
    ]),
  );
  const known = new Map<string, string>();
  for (const expression of textsIn(json).flatMap(expressionsIn)) {
    const [, address = '', path = ''] =
      expression.match(/^((?:data\.)?[a-z]\w*\.[\w-]+)\.([\w.[\]]+)$/) ?? [];
    const value = path
      .split(/[.[\]]+/)
      .filter((step) => step !== '')
      .reduce<unknown>((at, step) => (at as Json | undefined)?.[step], held.get(address));
    if (typeof value === 'string' && value !== '' && !known.has(value)) {
      known.set(value, `\${${expression}}`);
    }
  }
  const longestFirst = [...known].sort(([one], [other]) => other.length - one.length);
  return (text) => {
    const whole = known.get(text);
    if (whole !== undefined) return whole;
    return longestFirst
      .filter(([value]) => value.length >= SHORTEST_PART)
      .reduce(
        (parts, [value, expression]) =>
          parts.flatMap((part) =>
            part.startsWith('${') ? [part] : between(part.split(value), expression),
          ),
        [asTemplate(text)],
      )
      .join('');
  };
}

function between(parts: readonly string[], separator: string): string[] {
  return parts.flatMap((part, index) => (index === 0 ? [part] : [separator, part]));
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** In Terraform's JSON null, an empty text and an empty list all say that an argument is not set. */
function isSame(one: unknown, other: unknown): boolean {
  const canonical = (value: unknown): unknown => {
    if (value === '' || (Array.isArray(value) && value.length === 0)) return null;
    if (!isObject(value)) return Array.isArray(value) ? value.map(canonical) : value;
    const members = Object.entries(value).map(
      ([name, member]) => [name, canonical(member)] as const,
    );
    const set = members
      .filter(([, member]) => member !== null)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return set.length === 0 ? null : Object.fromEntries(set);
  };
  return JSON.stringify(canonical(one) ?? null) === JSON.stringify(canonical(other) ?? null);
}
