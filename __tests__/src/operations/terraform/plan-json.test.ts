import { expect, test } from 'vitest';
import {
  changesOf,
  deletes,
  managedResources,
  type PlannedChange,
} from '../../../../src/operations/terraform/plan-json.ts';

function change(actions: readonly string[], importing?: { readonly id: string }): PlannedChange {
  return {
    address: `a.${actions.join('_')}`,
    type: 'a',
    change: { actions, before: null, after: null, ...(importing && { importing }) },
  };
}

test('neither what stays nor what is only read is a change', () => {
  const plan = {
    resource_changes: [['no-op'], ['read'], ['create'], ['delete']].map((actions) =>
      change(actions),
    ),
  };
  expect(changesOf(plan).map(({ address }) => address)).toEqual(['a.create', 'a.delete']);
});

test('an import is a change, even where nothing else is', () => {
  expect(changesOf({ resource_changes: [change(['no-op'], { id: 'x' })] })).toHaveLength(1);
});

test('a plan without resources has no changes', () => {
  expect(changesOf({})).toEqual([]);
});

test.each([
  [['delete', 'create'], true],
  [['create', 'delete'], true],
  [['delete'], true],
  [['update'], false],
])('%j destroys the resource: %s', (actions, expected) => {
  expect(deletes(change(actions))).toBe(expected);
});

test('data sources are not managed', () => {
  const resource = { type: 'a', name: 'b', instances: [{ attributes: { id: '1' } }] };
  const resources = [
    { ...resource, mode: 'managed' as const },
    { ...resource, mode: 'data' as const },
  ];
  expect(managedResources({ resources })).toStrictEqual([
    { address: 'a.b', type: 'a', values: { id: '1' }, tainted: false },
  ]);
});

test('a resource of which nothing is left has no values', () => {
  const resources = [{ mode: 'managed' as const, type: 'a', name: 'b' }];
  expect(managedResources({ resources })[0]?.values).toEqual({});
});

test('an empty state has no resources', () => {
  expect(managedResources({})).toEqual([]);
});
