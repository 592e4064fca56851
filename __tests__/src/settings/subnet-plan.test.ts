import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../../src/settings/cidr.ts';
import { canPlanSubnets, planSubnets } from '../../../src/settings/subnet-plan.ts';
import { foundationNetworkSettings } from '../../support/settings.ts';

describe('planSubnets', () => {
  it("plans the original's addresses in the first two zones by default", () => {
    expect(planSubnets(foundationNetworkSettings())).toStrictEqual([
      { zone: 'us-gov-west-1a', publicCidr: '10.0.0.0/24', privateCidr: '10.0.10.0/24' },
      { zone: 'us-gov-west-1b', publicCidr: '10.0.1.0/24', privateCidr: '10.0.11.0/24' },
    ]);
  });

  it('takes given addresses and plans only what is left out', () => {
    const subnets = planSubnets(
      foundationNetworkSettings({
        private_subnet_cidrs: ['10.0.64.0/18', '10.0.128.0/18', '10.0.192.0/18'],
      }),
    );
    expect(subnets.map(({ publicCidr }) => publicCidr)).toEqual([
      '10.0.0.0/24',
      '10.0.1.0/24',
      '10.0.2.0/24',
    ]);
    expect(subnets.map(({ zone }) => zone.at(-1))).toEqual(['a', 'b', 'c']);
  });

  it('takes given zones in their order', () => {
    const zones = ['us-gov-west-1c', 'us-gov-west-1a'];
    const subnets = planSubnets(foundationNetworkSettings({ availability_zones: zones }));
    expect(subnets.map(({ zone }) => zone)).toEqual(zones);
  });

  it('never plans a block smaller than AWS allows', () => {
    const subnets = planSubnets(foundationNetworkSettings({ vpc_cidr: '10.0.0.0/24' }));
    expect(subnets.map(({ privateCidr }) => privateCidr)).toEqual([
      '10.0.0.160/28',
      '10.0.0.176/28',
    ]);
  });
});

describe('canPlanSubnets', () => {
  it.each([
    ['10.0.0.0/16', 4, true],
    ['10.0.0.0/24', 4, true],
    ['10.0.0.0/25', 2, false],
  ])('says of %s with %i zones: %s', (text, count, expected) => {
    const vpc = parseCidr(text);
    expect(vpc && canPlanSubnets(vpc, count)).toBe(expected);
  });
});
