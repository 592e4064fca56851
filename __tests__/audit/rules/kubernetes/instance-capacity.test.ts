import { describe, expect, it } from 'vitest';
import { capacityOf } from '../../../../audit/rules/kubernetes/instance-capacity.ts';

const GIB = 2 ** 30;

describe('capacityOf', () => {
  it.each([
    ['t3.medium', 2, 4],
    ['t4g.xlarge', 4, 16],
    ['m6i.large', 2, 8],
    ['c7g.2xlarge', 8, 16],
    ['r5.12xlarge', 48, 384],
    ['m7g.medium', 1, 4],
  ])('knows %s', (type, cpus, memory) => {
    expect(capacityOf(type)).toEqual({ cpus, memory: memory * GIB });
  });

  it.each(['p4d.24xlarge', 'm5.metal', 'large', ''])('does not guess %s', (type) => {
    expect(capacityOf(type)).toBeUndefined();
  });
});
