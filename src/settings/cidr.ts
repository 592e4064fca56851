import { isIPv4 } from 'node:net';

/** An IPv4 block: its first address as a number, and the length of its prefix in bits. */
export interface Cidr {
  readonly first: number;
  readonly prefix: number;
}

/** Reads `a.b.c.d/n`; gives `undefined` for anything else, and where bits are set behind the prefix. */
export function parseCidr(text: string): Cidr | undefined {
  const match = /^([^/]+)\/(\d|[12]\d|3[0-2])$/.exec(text);
  if (!match?.[1] || !match[2] || !isIPv4(match[1])) return undefined;
  const first = match[1].split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const prefix = Number(match[2]);
  return first % size({ first, prefix }) === 0 ? { first, prefix } : undefined;
}

/** Writes a block as `a.b.c.d/n`. */
export function formatCidr({ first, prefix }: Cidr): string {
  const octets = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256);
  return `${octets.join('.')}/${prefix}`;
}

/** How many addresses a block has. */
export function size({ prefix }: Cidr): number {
  return 2 ** (32 - prefix);
}

/** Whether `inner` lies wholly in `outer`. */
export function contains(outer: Cidr, inner: Cidr): boolean {
  return inner.first >= outer.first && inner.first + size(inner) <= outer.first + size(outer);
}

/** Whether two blocks share an address. */
export function overlap(one: Cidr, other: Cidr): boolean {
  return one.first < other.first + size(other) && other.first < one.first + size(one);
}

/** The block number `index` (from 0) of length `prefix` in a larger block, as Terraform's `cidrsubnet`. */
export function subBlock(block: Cidr, prefix: number, index: number): Cidr {
  return { first: block.first + index * 2 ** (32 - prefix), prefix };
}
