import { describe, expect, it } from 'vitest';
import type { Rule } from '../../../audit/rules/rule.ts';
import { findings } from './findings.ts';
import { type Planter, planterFor } from './planter.ts';
import type { Stacks } from './renamed-stack.ts';
import { auditedOf, environmentStacks, NAMINGS, QUEUE, stacksOf } from './stacks.ts';

/** A change of a good stack that still deploys and is wrong: what is done, and how. */
export type Plant = readonly [name: string, plant: (planter: Planter) => void];

/** Plants by the id of the rule that has to notice. */
export type Plants = Readonly<Record<string, readonly Plant[]>>;

/** Stacks that plants go into. */
export type Base = 'complete' | 'queue';

/** Tests that each rule notices each of its plants, in the stacks as they are and renamed. */
export function describePlants(
  rules: readonly Rule[],
  plants: Plants,
  base: Base = 'complete',
): void {
  describe.each(NAMINGS)('a stack %s', (_, rename) => {
    describe.each(Object.entries(plants))('%s notices', (id, faults) => {
      let before: readonly string[] | undefined;
      it.each(faults)('%s', (_name, plant) => {
        const rule = rules.find((candidate) => candidate.id === id);
        if (rule === undefined) throw new Error(`There is no rule ${id}`);
        before ??= findings([rule], auditedOf(rename(baseStacks(base))));
        const known = before;
        const stacks = rename(baseStacks(base));
        plant(planterFor(stacks));
        const after = findings([rule], auditedOf(stacks));
        expect(after.filter((finding) => !known.includes(finding))).not.toEqual([]);
      });
    });
  });
}

function baseStacks(base: Base): Stacks {
  return base === 'queue' ? stacksOf(QUEUE) : environmentStacks('complete');
}
