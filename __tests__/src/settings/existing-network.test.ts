import { describe, expect, it } from 'vitest';
import {
  checkExistingNetwork,
  type ExistingNetwork,
  existingNetworkVariables,
  privateSubnetFilters,
  privateSubnetsWanted,
} from '../../../src/settings/existing-network.ts';

const IDS = ['subnet-0a1b2c3d', 'subnet-0b1c2d3e', 'subnet-0c1d2e3f'];
const NAMED: ExistingNetwork = {
  foundation_name_prefix: 'city',
  vpc_id: '',
  private_subnet_ids: [],
  private_subnet_tags: {},
};
const BY_TAGS = { ...NAMED, private_subnet_tags: { tier: 'private', team: 'etl*' } };
const BY_IDS = { ...NAMED, vpc_id: 'vpc-0a1b2c3d', private_subnet_ids: IDS };

describe('private subnets', () => {
  it.each([
    ['their names', NAMED, [{ name: 'tag:Name', values: ['city-private-*'] }]],
    [
      'tags of their own, in place of their names',
      BY_TAGS,
      [
        { name: 'tag:tier', values: ['private'] },
        { name: 'tag:team', values: ['etl*'] },
      ],
    ],
    ['their ids', BY_IDS, [{ name: 'subnet-id', values: IDS }]],
  ])('are found by %s', (_, network, filters) => {
    expect(privateSubnetFilters(network)).toStrictEqual(filters);
  });

  it.each([
    [
      'names',
      NAMED,
      2,
      'Fewer than two private subnets named city-private-* in VPC city-vpc',
      'deploy foundation-network first, or check foundation_name_prefix and vpc_id',
    ],
    [
      'tags',
      BY_TAGS,
      2,
      'Fewer than two subnets with the tags tier = private, team = etl* in VPC city-vpc',
      'tag the subnets, or check private_subnet_tags and vpc_id',
    ],
    [
      'ids',
      BY_IDS,
      3,
      'Not all 3 of private_subnet_ids are in VPC vpc-0a1b2c3d',
      'correct private_subnet_ids or vpc_id',
    ],
  ])('that are missing by their %s bring what to do', (_, network, count, problem, next) => {
    expect(privateSubnetsWanted(network)).toMatchObject({ count, problem, next });
  });
});

describe('faults between the variables', () => {
  it('name the VPC that ids of subnets need', () => {
    expect(checkExistingNetwork({ ...BY_IDS, vpc_id: '' })).toStrictEqual([
      { variable: 'vpc_id', message: 'must be given with private_subnet_ids' },
    ]);
  });

  it('name tags beside ids', () => {
    expect(checkExistingNetwork({ ...BY_IDS, private_subnet_tags: { a: 'b' } })).toStrictEqual([
      { variable: 'private_subnet_tags', message: expect.stringMatching(/^must be empty with/) },
    ]);
  });

  it.each([
    ['names', NAMED],
    ['tags', BY_TAGS],
    ['tags in a VPC by its id', { ...BY_TAGS, vpc_id: 'vpc-0a1b2c3d' }],
    ['ids', BY_IDS],
  ])('are none for subnets by %s', (_, network) => {
    expect(checkExistingNetwork(network)).toEqual([]);
  });
});

describe('what is accepted', () => {
  const { private_subnet_ids: ids, private_subnet_tags: tags } = existingNetworkVariables;

  it.each([
    [['subnet-0a1b2c3d'], false],
    [['subnet-0a1b2c3d', 'subnet-0a1b2c3d'], false],
    [IDS, true],
  ])('as ids of subnets: %j is %s', (given, expected) => {
    expect(ids.accepts(given)).toBe(expected);
  });

  it('as the id of a subnet has the form of one', () => {
    expect(['subnet-0a1b2c3d4e5f67890', 'vpc-0a1b2c3d', 'subnet-*'].map(ids.acceptsItem)).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('as the value of a tag is not a wildcard alone', () => {
    expect(['private', '*-private', '*', ''].map(tags.acceptsItem)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('as tags are at most ten', () => {
    const some = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`key-${index}`, 'value']));
    expect([some(10), some(11), { '': 'a' }].map(tags.accepts)).toEqual([true, false, false]);
  });
});
