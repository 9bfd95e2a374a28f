import { isIPv4, isIPv6, SocketAddress } from 'node:net';

const MAPPED = '::ffff:';
/** A household has a /64 at least, and whoever has one has all of its addresses. */
const IPV6_GROUPS_COUNTED = 4;

/** Whether a connection comes from this machine. */
export function isLoopbackRemote(address: string | undefined): boolean {
  const plain = withoutMapping(address ?? '');
  return plain === '::1' || (plain.startsWith('127.') && isIPv4(plain));
}

/** What stands for a client where requests and failures are counted: an IPv4 address, or the /64 of an IPv6 address. */
export function countedAs(address: string | undefined): string {
  const plain = withoutMapping(address ?? '');
  if (!isIPv6(plain)) return plain;
  return expand(plain).slice(0, IPV6_GROUPS_COUNTED).join(':');
}

/** The IPv4 address of one that is mapped into IPv6, others as they are. */
export function withoutMapping(address: string): string {
  return address.startsWith(MAPPED) && isIPv4(address.slice(MAPPED.length)) ? address.slice(MAPPED.length) : address;
}

/** The eight groups of an IPv6 address. */
function expand(address: string): string[] {
  const [head = '', tail] = new SocketAddress({ address: address.split('%')[0] as string, family: 'ipv6' }).address.split('::');
  const before = head === '' ? [] : head.split(':');
  if (tail === undefined) return before;
  const after = tail === '' ? [] : tail.split(':');
  return [...before, ...new Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0'), ...after];
}
