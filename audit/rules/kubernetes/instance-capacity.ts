/** What a node of an instance type has: CPUs, and memory in bytes. */
export interface Capacity {
  readonly cpus: number;
  readonly memory: number;
}

const GIB = 2 ** 30;

/** GiB for each vCPU, by the letter of the family (Amazon EC2 Instance Types). */
const MEMORY_RATIO: Readonly<Record<string, number>> = { c: 2, m: 4, r: 8 };

/** vCPUs and GiB of the burstable families T3 and T4g, which follow no rule. */
const BURSTABLE: Readonly<Record<string, readonly [number, number]>> = {
  nano: [2, 0.5],
  micro: [2, 1],
  small: [2, 2],
  medium: [2, 4],
  large: [2, 8],
  xlarge: [4, 16],
  '2xlarge': [8, 32],
};

/** The capacity of an instance type; undefined for a family that isn't known here. */
export function capacityOf(instanceType: string): Capacity | undefined {
  const [, family = '', size = ''] = /^([a-z]+)\d[a-z]*\.(\w+)$/.exec(instanceType) ?? [];
  const burstable = family === 't' ? BURSTABLE[size] : undefined;
  if (burstable) return { cpus: burstable[0], memory: burstable[1] * GIB };
  const ratio = MEMORY_RATIO[family];
  const cpus = cpusOf(size);
  if (ratio === undefined || cpus === undefined) return undefined;
  return { cpus, memory: cpus * ratio * GIB };
}

function cpusOf(size: string): number | undefined {
  if (size === 'medium') return 1;
  if (size === 'large') return 2;
  const [, times] = /^(\d*)xlarge$/.exec(size) ?? [];
  return times === undefined ? undefined : 4 * Number(times || 1);
}
