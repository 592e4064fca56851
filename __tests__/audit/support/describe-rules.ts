import { describe, expect, it } from 'vitest';
import type { Rule } from '../../../audit/rules/rule.ts';
import { findings } from './findings.ts';
import {
  type Base,
  findingsAfter,
  KUBERNETES_NAMINGS,
  type Plant as ObjectPlant,
  stacksOfBase,
} from './kubernetes-plants.ts';
import { type Planter, planterFor } from './planter.ts';
import type { Stacks } from './renamed-stack.ts';
import {
  auditedOf,
  BRIDGE,
  BUCKETS,
  DAY,
  environmentSettings,
  environmentStacks,
  instanceStacks,
  NAMINGS,
  QUEUE,
  type Shipped,
  stacksOf,
} from './stacks.ts';

/** A change of a good stack that still deploys and is wrong: what is done, and how. */
export type Plant = readonly [name: string, plant: (planter: Planter) => void];

/** Plants by the id of the rule that has to notice. */
export interface RulePlants {
  /** Into the environment `complete`. */
  readonly plants?: Readonly<Record<string, readonly Plant[]>>;
  /** Into stacks with a queue between the topic and the listener. */
  readonly queue?: Readonly<Record<string, readonly Plant[]>>;
  /** Into stacks with events by EventBridge. */
  readonly bridge?: Readonly<Record<string, readonly Plant[]>>;
  /** Into stacks with three buckets, one of them of another account. */
  readonly buckets?: Readonly<Record<string, readonly Plant[]>>;
  /** Into a stack with a database on an instance of its own. */
  readonly instance?: Readonly<Record<string, readonly Plant[]>>;
  /** Into environments of the repository, beside their tfvars. */
  readonly configured?: Partial<Record<Shipped, Readonly<Record<string, readonly Plant[]>>>>;
  /** What deploys and is right: no rule of these has anything new to say. */
  readonly harmless?: Partial<Record<Shipped, readonly Plant[]>>;
  /** Into one of the good stacks of Kubernetes objects. */
  readonly objects?: Readonly<Record<string, readonly ObjectPlant[]>>;
}

/** Tests that each rule notices each of its plants, whatever things are called, and that each has one. */
export function describeRules(
  rules: readonly Rule[],
  {
    plants = {},
    queue = {},
    bridge = {},
    buckets = {},
    instance = {},
    objects = {},
    configured = {},
    harmless = {},
  }: RulePlants,
): void {
  it('has a plant for every rule', () => {
    const planted = [
      ...[plants, queue, bridge, buckets, instance, objects],
      ...Object.values(configured),
    ].flatMap((each) => Object.keys(each));
    expect([...new Set(planted)].sort()).toEqual(rules.map(({ id }) => id).sort());
  });
  describePlants(rules, plants, () => environmentStacks('complete'));
  describePlants(rules, queue, () => stacksOf(QUEUE));
  describePlants(rules, bridge, () => stacksOf(BRIDGE));
  describePlants(rules, buckets, () => stacksOf(BUCKETS));
  describePlants(rules, instance, instanceStacks);
  describeObjectPlants(rules, objects);
  for (const environment of SHIPPED) {
    describeConfigured(rules, environment, configured[environment], harmless[environment]);
  }
}

const SHIPPED: readonly Shipped[] = ['etl-playground', 'complete', 'government'];

/** Plants into an environment of the repository, judged beside its settings. */
function describeConfigured(
  rules: readonly Rule[],
  environment: Shipped,
  plants: Readonly<Record<string, readonly Plant[]>> = {},
  harmless: readonly Plant[] = [],
): void {
  const settings = onceOf(() => environmentSettings(environment));
  const judged = (judging: readonly Rule[], plant: Plant[1] = () => undefined) => {
    const stacks = environmentStacks(environment);
    plant(planterFor(stacks));
    return findings(judging, auditedOf(stacks, DAY, settings()));
  };
  const before = onceOf(() => judged(rules));
  const added = (judging: readonly Rule[], plant: Plant[1]) =>
    judged(judging, plant).filter((finding) => !before().includes(finding));
  for (const [id, faults] of Object.entries(plants)) {
    it.each(faults)(`${id} notices in ${environment}: %s`, (_name, plant) => {
      expect(added([ruleOf(rules, id)], plant)).not.toEqual([]);
    });
  }
  if (harmless.length === 0) return;
  it.each(harmless)(`nothing is wrong in ${environment} with %s`, (_name, plant) => {
    expect(added(rules, plant)).toEqual([]);
  });
}

function describePlants(
  rules: readonly Rule[],
  plants: NonNullable<RulePlants['plants']>,
  base: () => Stacks,
): void {
  if (Object.keys(plants).length === 0) return;
  describe.each(NAMINGS)('a stack %s', (_, rename) => {
    const named = onceOf(() => JSON.stringify(rename(base())));
    const namedStacks = () => JSON.parse(named()) as Stacks;
    const audited = onceOf(() => auditedOf(namedStacks()));
    describe.each(Object.entries(plants))('%s notices', (id, faults) => {
      const before = onceOf(() => findings([ruleOf(rules, id)], audited()));
      it.each(faults)('%s', (_name, plant) => {
        const rule = ruleOf(rules, id);
        const known = before();
        const stacks = namedStacks();
        plant(planterFor(stacks));
        const after = findings([rule], auditedOf(stacks));
        expect(after.filter((finding) => !known.includes(finding))).not.toEqual([]);
      });
    });
  });
}

function describeObjectPlants(
  rules: readonly Rule[],
  plants: NonNullable<RulePlants['objects']>,
): void {
  if (Object.keys(plants).length === 0) return;
  describe.each(KUBERNETES_NAMINGS)('objects of a stack %s', (_, naming) => {
    const stacks = onceOf((base: Base) => naming(stacksOfBase(base)));
    describe.each(Object.entries(plants))('%s notices', (id, faults) => {
      const before = onceOf((base: Base) => findingsAfter([ruleOf(rules, id)], stacks(base)));
      for (const [name, change, base = 'http'] of faults) {
        it(name, () => {
          const rule = ruleOf(rules, id);
          expect(before(base)).toEqual([]);
          expect(findingsAfter([rule], stacks(base), change)).not.toEqual([]);
        });
      }
    });
  });
}

/** Makes what many tests look at, and none changes, only once for each key. */
function onceOf<Value, Key = void>(make: (key: Key) => Value): (key: Key) => Value {
  const made = new Map<Key, Value>();
  return (key) => {
    if (!made.has(key)) made.set(key, make(key));
    return made.get(key) as Value;
  };
}

function ruleOf(rules: readonly Rule[], id: string): Rule {
  const rule = rules.find((candidate) => candidate.id === id);
  if (rule === undefined) throw new Error(`There is no rule ${id}`);
  return rule;
}
