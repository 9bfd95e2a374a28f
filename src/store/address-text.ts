/**
 * The text of the IPv6 address in four words as they lie on the wire (RFC 5952): lower case, no leading zeros, the longest run
 * of two or more zero groups as `::`, IPv4-mapped addresses with a dotted end (section 5).
 */
export function ipv6Text(words: Int32Array, index: number): string {
  const groups: number[] = [];
  for (let word = 0; word < 4; word++) {
    const bits = words[index + word] as number;
    groups.push(bits >>> 16, bits & 0xffff);
  }
  if (words[index] === 0 && words[index + 1] === 0 && words[index + 2] === 0xffff)
    return `::ffff:${ipv4Text(words[index + 3] as number)}`;
  const { start, count } = longestZeroRun(groups);
  const text = (part: number[]): string => part.map((group) => group.toString(16)).join(':');
  return count < 2 ? text(groups) : `${text(groups.slice(0, start))}::${text(groups.slice(start + count))}`;
}

/** The text of the IPv4 address in one word as it lies on the wire. */
export function ipv4Text(bits: number): string {
  return `${bits >>> 24}.${(bits >>> 16) & 0xff}.${(bits >>> 8) & 0xff}.${bits & 0xff}`;
}

/** The first of the longest runs of zeros. */
function longestZeroRun(groups: readonly number[]): { start: number; count: number } {
  let best = { start: 0, count: 0 };
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (end < groups.length && groups[end] === 0) end++;
    if (end - start > best.count) best = { start, count: end - start };
  }
  return best;
}
