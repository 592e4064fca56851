import { describe, expect, it } from 'vitest';
import { refuseVersionChanges } from '../../../../../src/operations/terraform/guards/versions.ts';

type Values = Readonly<Record<string, unknown>> | null;

const change = (type: string, before: Values, after: Values) => ({
  address: `${type}.this`,
  type,
  change: {
    actions: JSON.stringify(before) === JSON.stringify(after) ? ['no-op'] : ['update'],
    before,
    after,
  },
});
const cluster = (from: string, to: string) =>
  change('aws_eks_cluster', { name: 'etl', version: from }, { name: 'etl', version: to });
const nodes = (from: string, to: string) =>
  change('aws_eks_node_group', { version: from }, { version: to });
const addOn = (from: string, to: string) =>
  change(
    'aws_eks_addon',
    { addon_name: 'coredns', addon_version: from },
    { addon_name: 'coredns', addon_version: to },
  );
const refusals = (
  changes: readonly ReturnType<typeof change>[],
  kubernetes_version = '1.35',
  addon_versions: Readonly<Record<string, string>> = {},
) => refuseVersionChanges({ resource_changes: changes }, { kubernetes_version, addon_versions });

describe('a change of the Kubernetes version', () => {
  it('by one minor version that the tfvars name is fine, with nodes that follow', () => {
    expect(refusals([cluster('1.34', '1.35'), nodes('1.34', '1.35')])).toEqual([]);
  });

  it.each([
    ['downwards', '1.35', '1.34', '1.34', /no older version/, 'kubernetes_version = "1.35"'],
    ['that nobody names', '1.34', '1.35', '', /which no tfvars names/, '"1.34" stays'],
    ['of two minor versions', '1.33', '1.35', '1.35', /one minor version at a time/, '"1.34"'],
    ['downwards that nobody names', '1.36', '1.35', '', /no older version/, '"1.36"'],
  ])('%s is refused', (_, from, to, named, reason, next) => {
    const refused = refusals([cluster(from, to), nodes(from, to)], named);
    expect(refused).toHaveLength(1);
    expect(refused[0]?.reason).toMatch(reason);
    expect(refused[0]?.next).toContain(next);
  });

  it('downwards is refused alone, without the add-ons that would go down with it', () => {
    const down = addOn('v1.33.1-eksbuild.1', 'v1.32.1-eksbuild.1');
    expect(refusals([cluster('1.33', '1.32'), down], '1.32')).toMatchObject([
      { next: 'set kubernetes_version = "1.33" in file_processing.tfvars' },
    ]);
  });

  it('of two minor versions is refused alone, without the nodes that it would leave behind', () => {
    expect(refusals([cluster('1.33', '1.35'), nodes('1.33', '1.33')])).toMatchObject([
      { next: expect.stringContaining('kubernetes_version = "1.34"') },
    ]);
  });

  it('that leaves nodes two minor versions behind is refused', () => {
    const refused = refusals([cluster('1.34', '1.35'), nodes('1.33', '1.33')]);
    expect(refused).toHaveLength(1);
    expect(refused[0]?.next).toContain('an image of 1.34');
  });

  it('that leaves nodes one minor version behind is fine', () => {
    expect(refusals([cluster('1.34', '1.35'), nodes('1.34', '1.34')])).toEqual([]);
  });

  it('is none at creation, at the end, and where the version is not known yet', () => {
    const made = change('aws_eks_cluster', null, { version: '1.35' });
    const gone = change('aws_eks_cluster', { version: '1.30' }, null);
    const unknown = change('aws_eks_cluster', { version: '1.34' }, { tags: {} });
    expect(refusals([made], '')).toEqual([]);
    expect(refusals([gone], '')).toEqual([]);
    expect(refusals([unknown], '')).toEqual([]);
  });

  it('that EKS made by itself changes the nodes alone, and is fine', () => {
    expect(refusals([cluster('1.36', '1.36'), nodes('1.34', '1.36')], '1.34')).toEqual([]);
  });
});

describe('a change of an add-on', () => {
  it.each([
    ['v1.12.4-eksbuild.2', 'v1.12.4-eksbuild.1'],
    ['v1.12.4-eksbuild.1', 'v1.11.9-eksbuild.9'],
    ['v1.9.0-eksbuild.1', 'v0.10.0-eksbuild.1'],
  ])('from %s to %s is refused, with the line that keeps it', (from, to) => {
    const [refused] = refusals([addOn(from, to)]);
    expect(refused?.reason).toContain(`coredns back from ${from} to ${to}`);
    expect(refused?.next).toContain(`addon_versions = { coredns = "${from}" }`);
  });

  it.each([
    ['v1.9.0-eksbuild.1', 'v1.10.0-eksbuild.1'],
    ['v1.12.4-eksbuild.1', 'v1.12.4-eksbuild.2'],
    ['latest', 'v1.0.0-eksbuild.1'],
  ])('from %s to %s is fine', (from, to) => {
    expect(refusals([addOn(from, to)])).toEqual([]);
  });

  it('to an older version that the tfvars name is fine', () => {
    const named = { coredns: 'v1.11.0-eksbuild.1' };
    expect(refusals([addOn('v1.12.0-eksbuild.1', named.coredns)], '', named)).toEqual([]);
  });
});
