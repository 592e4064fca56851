import { blocksOf } from '../../../src/synthesized/model/model.ts';
import { isGiven, itemsOf } from '../readers/resources.ts';
import { type Audited, type Rule, rule, shown } from '../rule.ts';
import setAside from './set-aside.json' with { type: 'json' };

/** A row of set-aside.json: what sets aside what others secure, and what it does. Whatever else is new, the accepted JSON shows. */
interface Row {
  /** Pattern of the path of an argument or field, or of the name of an annotation. */
  readonly path: string;
  /** What it does, without a subject. */
  readonly harm: string;
  /** Values that are the default, and may be spelled out. */
  readonly unless?: readonly string[];
  /** Pattern of the values that do harm. @default any that says something */
  readonly only?: string;
  /** The highest number that does none. */
  readonly above?: number;
  /** Whether only an id of others does: neither a reference nor empty. */
  readonly literal?: boolean;
}

/** A row, its patterns ready to be used. */
interface Judge extends Omit<Row, 'path' | 'only'> {
  readonly path: RegExp;
  readonly only: RegExp | undefined;
}

const judgesOf = (rows: readonly Row[]): readonly Judge[] =>
  rows.map(({ path, only, ...row }) => ({
    ...row,
    path: new RegExp(path),
    only: only === undefined ? undefined : new RegExp(only, 'i'),
  }));

const TYPES = setAside.types.map(({ type, harm }) => ({ pattern: new RegExp(type), harm }));
const ARGUMENTS = new Map(
  Object.entries(setAside.arguments).map(([type, rows]) => [type, judgesOf(rows)]),
);
const FIELDS = judgesOf(setAside.fields);
const ANNOTATIONS = judgesOf(setAside.annotations);

/** Names of annotations that the controllers of AWS read, by their start (kubernetes-sigs/aws-load-balancer-controller, `docs/guide`). */
const READ = Object.entries(setAside.read).map(([start, names]) => ({
  start,
  names: new RegExp(`^(${names.join('|')})$`),
}));

function isHarmful(value: unknown, { unless = [], only, above, literal }: Judge): boolean {
  if (literal) return [value].flat().some((id) => isGiven(id) && !String(id).includes('${'));
  if (above !== undefined) return Number(value) > above;
  if (only !== undefined) return only.test(String(value));
  return isGiven(value) && !unless.includes(String(value));
}

/** Every value inside of another with its path, lists seen through; a block comes before what is inside. */
function pathsIn(value: unknown, path = ''): readonly (readonly [string, unknown])[] {
  if (Array.isArray(value) && value.some((item) => typeof item === 'object')) {
    return value.flatMap((item) => pathsIn(item, path));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const inside = path === '' ? key : `${path}.${key}`;
    return [[inside, item] as const, ...pathsIn(item, inside)];
  });
}

function faultsOf(values: readonly (readonly [string, unknown])[], judges: readonly Judge[]) {
  return [
    ...new Set(
      values.flatMap(([path, value]) =>
        judges
          .filter((judge) => judge.path.test(path) && isHarmful(value, judge))
          .map(({ harm }) => `${path} ${shown(value)} ${harm}`),
      ),
    ),
  ];
}

function annotationsIn(value: unknown): readonly (readonly [string, unknown])[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, below]) =>
    key === 'annotations' ? Object.entries(Object(below)) : annotationsIn(below),
  );
}

/** Hosts that the endpoints of the stacks name. */
function endpointHosts({ model }: Audited): readonly string[] {
  return model
    .ofType('aws_sns_topic_subscription')
    .flatMap(({ attributes }) => URL.parse(String(attributes.endpoint))?.hostname ?? []);
}

/** Rules on what would set the other rules aside. */
export const SET_ASIDE_RULES: readonly Rule[] = [
  rule({
    id: 'no-type-sets-rules-aside',
    subjects: ({ model }) => model.stacks.flatMap(({ resources, data }) => [...resources, ...data]),
    faults: ({ mode, type }) => {
      const name = mode === 'data' ? `data.${type}` : type;
      return TYPES.filter(({ pattern }) => pattern.test(name)).map(({ harm }) => `${type} ${harm}`);
    },
  }),
  rule({
    id: 'no-argument-sets-rules-aside',
    subjects: ({ model }) => model.ofType(...ARGUMENTS.keys()),
    faults: ({ type, attributes }) => [
      ...faultsOf(pathsIn(attributes), ARGUMENTS.get(type) ?? []),
      type === 'aws_cloudwatch_metric_alarm' &&
        blocksOf(attributes.metric_query).length > 0 &&
        isGiven(attributes.metric_name) &&
        'metric_query looks at something else than metric_name',
      type === 'aws_cloudwatch_metric_alarm' &&
        isGiven(attributes.threshold_metric_id) &&
        (isGiven(attributes.metric_name) || isGiven(attributes.threshold)) &&
        `threshold_metric_id ${shown(attributes.threshold_metric_id)} replaces its threshold`,
    ],
  }),
  rule({
    id: 'no-field-sets-rules-aside',
    subjects: ({ objects }) => objects,
    faults: ({ manifest }) => faultsOf(pathsIn(manifest), FIELDS),
  }),
  rule({
    id: 'annotations-do-no-harm',
    subjects: ({ objects }) => objects,
    faults: ({ manifest }, audited) => {
      const annotations = annotationsIn(manifest);
      const hosts = endpointHosts(audited);
      return [
        ...annotations.flatMap(([name]) =>
          READ.filter(
            ({ start, names }) => name.startsWith(start) && !names.test(name.slice(start.length)),
          ).map(() => `${name} is an annotation that nothing reads`),
        ),
        ...faultsOf(annotations, ANNOTATIONS),
        ...annotations
          .filter(([name]) => /^external-dns\..*\/hostname$/.test(name))
          .flatMap(([name, value]) => itemsOf(String(value)).map((host) => [name, host] as const))
          .filter(([, host]) => !hosts.includes(host))
          .map(
            ([name, host]) => `${name} points ${host} here, which is not an endpoint of the stacks`,
          ),
      ];
    },
  }),
];
