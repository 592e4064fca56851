import { isIPv4 } from 'node:net';

interface Range {
  readonly first: number;
  readonly last: number;
}

/** All of IPv4, and of IPv6. */
const EVERYWHERE = ['0.0.0.0/0', '::/0'];

/** Networks that no packet of the internet comes from (RFC 1918, RFC 6598). */
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'];

/** Whether a block is the whole internet, or half of it and more. */
export function isEverywhere(cidr: string): boolean {
  return EVERYWHERE.includes(cidr) || /\/[01]$/.test(cidr);
}

/** Whether a block lies in private networks alone. */
export function isPrivate(cidr: string): boolean {
  return PRIVATE.some((network) => contains(network, cidr));
}

/** Whether a block of IPv4 contains another; false for what is none. */
export function contains(outer: string, inner: string): boolean {
  const [one, other] = [rangeOf(outer), rangeOf(inner)];
  return (
    one !== undefined && other !== undefined && one.first <= other.first && other.last <= one.last
  );
}

function rangeOf(cidr: string): Range | undefined {
  const [address = '', length = '32'] = cidr.split('/');
  if (!isIPv4(address) || !/^\d{1,2}$/.test(length)) return undefined;
  const number = address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const size = 2 ** (32 - Number(length));
  const first = Math.floor(number / size) * size;
  return { first, last: first + size - 1 };
}
