import { describe, expect, it } from 'vitest';
import { NameCache } from '../../src/store/name-cache.js';
import { NameInfo, NameSource } from '../../src/store/name-info.js';

const S = 1e6;
const SERVER = 0x0a000001;
const CLIENT = 0x0a0000c8;
/** Where a test's flow has its addresses; the words in front show that the indexes are heeded. */
const SRC = 3;
const DST = 9;

/** Words of a flow from one IPv4 address to another. */
function flowWords(client = CLIENT, server = SERVER): Int32Array {
  const words = new Int32Array(16).fill(77);
  words.fill(0, SRC, SRC + 4);
  words.fill(0, DST, DST + 4);
  words[SRC + 3] = client;
  words[DST + 3] = server;
  return words;
}

interface Answer {
  readonly atS: number;
  readonly ttlS?: number;
  readonly client?: number;
  readonly server?: number;
}

function answer(cache: NameCache, name: number, { atS, ttlS = 60, client, server }: Answer): void {
  const words = flowWords(client, server);
  cache.addAnswer(4, words, SRC, 4, words.slice(DST, DST + 4), name, atS * S, ttlS);
}

function device(cache: NameCache, source: NameSource.Mdns | NameSource.Dhcp, name: number, atS: number): void {
  cache.addDevice(source, 4, flowWords(), DST, name, atS * S);
}

interface Found {
  readonly name: number;
  readonly source: NameSource;
  readonly isAmbiguous: boolean;
  readonly ageS: number;
}

/** What a flow that begins at `startS` finds. */
function find(cache: NameCache, startS: number, words = flowWords(), isLaterSegment = false, version = 4): Found | null {
  if (!cache.find(version, words, SRC, DST, startS * S, isLaterSegment)) return null;
  const { name, info } = cache;
  return {
    name,
    source: info & 7,
    isAmbiguous: ((info >> NameInfo.Ambiguous) & 1) === 1,
    ageS: info >> NameInfo.AgeS,
  };
}

const nameAt = (cache: NameCache, startS: number): number | null => find(cache, startS)?.name ?? null;

describe('name cache: answers', () => {
  it('knows nothing at first, and the name of an address once an answer gave it to this client', () => {
    const cache = new NameCache(64);
    expect(find(cache, 100)).toBeNull();
    answer(cache, 5, { atS: 100 });
    expect(find(cache, 107.9)).toEqual({ name: 5, source: NameSource.Dns, isAmbiguous: false, ageS: 7 });
    expect(find(cache, 107, flowWords(CLIENT + 1))).toBeNull();
    expect(find(cache, 107, flowWords(CLIENT, SERVER + 1))).toBeNull();
    expect(find(cache, 107, flowWords(), false, 6)).toBeNull();
    expect([cache.hits, cache.misses, cache.count]).toEqual([1, 4, 1]);
  });

  it('keeps a name 300 s at least, as long as the answer says, and a day at most', () => {
    for (const [ttlS, heldS] of [
      [0, 300],
      [300, 300],
      [301, 301],
      [4_000_000, 86_400],
    ] as const) {
      const cache = new NameCache(64);
      answer(cache, 5, { atS: 1000, ttlS });
      expect([999.9, 1000, 1000 + heldS - 1, 1000 + heldS].map((startS) => nameAt(cache, startS))).toEqual([null, 5, 5, null]);
    }
  });

  it('goes on with an expired name for the later segments of a flow', () => {
    const cache = new NameCache(64);
    answer(cache, 5, { atS: 1000 });
    expect(find(cache, 2000, flowWords(), true)).toMatchObject({ name: 5, ageS: 1000 });
    expect(find(cache, 999, flowWords(), true)).toBeNull();
  });

  it('takes the newer name of two, and the earlier one for a flow that began before the newer', () => {
    const cache = new NameCache(64);
    answer(cache, 5, { atS: 100 });
    answer(cache, 6, { atS: 500 });
    expect(find(cache, 200)).toEqual({ name: 5, source: NameSource.Dns, isAmbiguous: false, ageS: 100 });
    expect(find(cache, 510)).toEqual({ name: 6, source: NameSource.Dns, isAmbiguous: false, ageS: 10 });
    expect(nameAt(cache, 450)).toBeNull();
  });

  it('says that a name is ambiguous while another one still held', () => {
    const cache = new NameCache(64);
    answer(cache, 5, { atS: 100, ttlS: 1000 });
    answer(cache, 6, { atS: 500, ttlS: 3600 });
    expect(find(cache, 499)).toMatchObject({ name: 5, isAmbiguous: false });
    expect(find(cache, 500)).toMatchObject({ name: 6, isAmbiguous: true });
    expect(find(cache, 1099)).toMatchObject({ name: 6, isAmbiguous: true });
    expect(find(cache, 1100)).toMatchObject({ name: 6, isAmbiguous: false });
  });

  it('does not take the same name twice for two', () => {
    const cache = new NameCache(64);
    for (const atS of [100, 200, 250]) answer(cache, 5, { atS });
    expect(find(cache, 300)).toEqual({ name: 5, source: NameSource.Dns, isAmbiguous: false, ageS: 50 });
    expect(cache.count).toBe(1);
  });

  it('tells the age since the last answer before the flow, though later ones have come', () => {
    const cache = new NameCache(64);
    for (const atS of [100, 200, 300]) answer(cache, 5, { atS });
    expect([150, 220, 330].map((startS) => find(cache, startS)?.ageS)).toEqual([50, 20, 30]);
  });

  it('names a flow that began before a name expired, though it was renewed after that', () => {
    const cache = new NameCache(64);
    answer(cache, 5, { atS: 100 });
    answer(cache, 5, { atS: 1000 });
    expect(find(cache, 150)).toMatchObject({ name: 5, ageS: 50 });
  });

  it('forgets the name told longest ago when a third comes, and stays ambiguous until it would have expired', () => {
    const cache = new NameCache(64);
    answer(cache, 5, { atS: 100, ttlS: 5000 });
    answer(cache, 6, { atS: 200 });
    answer(cache, 7, { atS: 300 });
    expect([150, 250, 350].map((startS) => nameAt(cache, startS))).toEqual([null, 6, 7]);
    // 6 has expired by then, and 5 is not known any more.
    expect([5099, 5100].map((startS) => find(cache, startS, flowWords(), true)?.isAmbiguous)).toEqual([true, false]);
  });

  it('passes over an answer that is older than both names it has', () => {
    const cache = new NameCache(64);
    answer(cache, 5, { atS: 200 });
    answer(cache, 6, { atS: 300 });
    answer(cache, 7, { atS: 100 });
    expect([150, 250, 350].map((startS) => nameAt(cache, startS))).toEqual([null, 5, 6]);
  });

  it('is none the wiser when it is told the same again, as after a rolled-back transaction', () => {
    const once = new NameCache(64);
    const twice = new NameCache(64);
    const answers: readonly (readonly [number, Answer])[] = [
      [5, { atS: 100, ttlS: 500 }],
      [6, { atS: 200 }],
      [5, { atS: 250, ttlS: 400 }],
    ];
    for (const cache of [once, twice, twice]) for (const [name, given] of answers) answer(cache, name, given);
    for (let startS = 90; startS < 800; startS += 10) expect(find(twice, startS)).toEqual(find(once, startS));
  });

  it('tells addresses of IPv6 apart in every word', () => {
    const cache = new NameCache(64);
    const words = Int32Array.from([0, 0, 0, 1, 2, 3, 4, 0, 0, 5, 6, 7, 8]);
    cache.addAnswer(6, words, SRC, 6, words.slice(DST, DST + 4), 9, 100 * S, 60);
    expect(find(cache, 110, words, false, 6)?.name).toBe(9);
    for (const index of [0, 1, 2, 3].flatMap((i) => [SRC + i, DST + i])) {
      const other = words.slice();
      other[index] = 99;
      expect(find(cache, 110, other, false, 6)).toBeNull();
    }
  });
});

describe('name cache: devices', () => {
  it('names a device for every client, for a day', () => {
    const cache = new NameCache(64);
    device(cache, NameSource.Mdns, 5, 100);
    const found = { name: 5, source: NameSource.Mdns, isAmbiguous: false, ageS: 10 };
    expect(find(cache, 110)).toEqual(found);
    expect(find(cache, 110, flowWords(CLIENT + 1))).toEqual(found);
    expect([86_499, 86_500].map((startS) => nameAt(cache, startS))).toEqual([5, null]);
  });

  it('prefers an answer to mDNS, and mDNS to DHCP', () => {
    const cache = new NameCache(64);
    device(cache, NameSource.Dhcp, 7, 100);
    expect(find(cache, 200)).toMatchObject({ name: 7, source: NameSource.Dhcp });
    device(cache, NameSource.Mdns, 6, 100);
    expect(find(cache, 200)).toMatchObject({ name: 6, source: NameSource.Mdns, isAmbiguous: false });
    answer(cache, 5, { atS: 100 });
    expect(find(cache, 200)).toMatchObject({ name: 5, source: NameSource.Dns, isAmbiguous: false });
    // The answer has expired.
    expect(find(cache, 500)).toMatchObject({ name: 6 });
  });
});

describe('name cache: limits', () => {
  it('forgets the least recently used address of a set, and counts it if its name still held', () => {
    // One set: every address lands in it.
    const cache = new NameCache(4);
    for (const server of [1, 2, 3, 4]) answer(cache, server, { atS: 100, server });
    const known = (): (number | null)[] =>
      [1, 2, 3, 4, 5, 6].map((server) => find(cache, 150, flowWords(CLIENT, server))?.name ?? null);
    expect(find(cache, 150, flowWords(CLIENT, 1))?.name).toBe(1);
    answer(cache, 5, { atS: 100, server: 5 });
    expect(known()).toEqual([1, null, 3, 4, 5, null]);
    expect([cache.evictions, cache.count]).toEqual([1, 4]);
    // By now the names of all have expired: that is no loss.
    answer(cache, 6, { atS: 900, server: 6 });
    expect([cache.evictions, cache.count]).toEqual([1, 4]);
    cache.settle();
    expect([cache.hits, cache.misses, cache.evictions]).toEqual([0, 0, 0]);
  });

  it('keeps about as many addresses as it is told, and never more', () => {
    const cache = new NameCache(1000);
    for (let server = 0; server < 600; server++) answer(cache, server, { atS: 100, server });
    expect(cache.count).toBeGreaterThan(550);
    for (let server = 0; server < 20_000; server++) answer(cache, server, { atS: 100, server: server << 8 });
    expect(cache.count).toBeGreaterThan(990);
    expect(cache.count).toBeLessThanOrEqual(1000);
  });

  it('forgets the names whose texts were rolled back, and no others', () => {
    const cache = new NameCache(64);
    answer(cache, 5, { atS: 100 });
    answer(cache, 10, { atS: 110 });
    answer(cache, 11, { atS: 100, server: SERVER + 1 });
    device(cache, NameSource.Dhcp, 9, 100);
    cache.revert(9);
    expect(find(cache, 120)).toMatchObject({ name: 5, source: NameSource.Dns });
    expect(find(cache, 120, flowWords(CLIENT, SERVER + 1))).toBeNull();
    expect(find(cache, 120, flowWords(CLIENT + 1))).toMatchObject({ name: 9, source: NameSource.Dhcp });
    expect([cache.count, cache.hits]).toEqual([2, 2]);
    answer(cache, 10, { atS: 130, server: SERVER + 1 });
    expect(find(cache, 140, flowWords(CLIENT, SERVER + 1))?.name).toBe(10);
  });
});
