import { NameSource, packNameInfo } from './name-info.js';

/** Places that one key may take; the least recently used of them gives way. */
const WAYS = 4;
/** Names that one key may have; another takes the place of the one that was told longest ago. */
const NAMES = 2;
/** Source and IP version, four words of the client's address, four of the server's. */
const KEY_WORDS = 9;
const NONE = -1;

/** How long a name in a DNS answer holds at least and at most, whatever its time to live, and how long that of a device, s. */
const ANSWER_S_MIN = 300;
const ANSWER_S_MAX = 86_400;
const DEVICE_S = 86_400;

const US_PER_S = 1e6;
/** Any client: the key of names that are told to all. */
const ANYONE = new Int32Array(4);

/**
 * Which names servers have, in a fixed amount of memory: (client, server) → name from DNS answers, server → name from what
 * devices tell of themselves, and from answers that came over the other IP version. Names are ids of `texts`; times are µs since 1970, packet time. 128 bytes for each address, in sets
 * of four, each with its own order of use. A look-up allocates nothing.
 *
 * It lives in memory only. A writer that takes over from another starts with an empty one: what its predecessor had heard is
 * missing, until it is told again.
 */
export class NameCache {
  /** What the last `find` found: id of the text, and where it is from, for `flows.server_name_info`. */
  name = NONE;
  info = 0;
  /** Flows that asked, with and without success, and names that gave way before their time; since the last `settle`. */
  hits = 0;
  misses = 0;
  evictions = 0;
  private readonly sets: number;
  private readonly keys: Int32Array;
  private readonly usedAt: Int32Array;
  /** `NAMES` for each place. */
  private readonly names: Int32Array;
  /** When the name was told first, the time before the last, and last; in between it is taken to have been told as well. */
  private readonly firstUs: Float64Array;
  private readonly previousUs: Float64Array;
  private readonly lastUs: Float64Array;
  private readonly expiresUs: Float64Array;
  /** Until when another name held that had held when this one was told. */
  private readonly rivalUntilUs: Float64Array;
  private readonly countBySource = new Int32Array(NameSource.Dhcp + 1);
  private readonly key = new Int32Array(KEY_WORDS);
  private useCount = 0;
  /** Whether an answer was given across IP versions, so that names for any client are worth looking for. */
  private hasCrossed = false;

  /** `addressesMax` is 4 or more; it is rounded down to a multiple of four. */
  constructor(addressesMax: number) {
    this.sets = Math.floor(addressesMax / WAYS);
    const places = this.sets * WAYS;
    this.keys = new Int32Array(places * KEY_WORDS);
    this.usedAt = new Int32Array(places);
    this.names = new Int32Array(places * NAMES).fill(NONE);
    this.firstUs = new Float64Array(places * NAMES);
    this.previousUs = new Float64Array(places * NAMES);
    this.lastUs = new Float64Array(places * NAMES);
    this.expiresUs = new Float64Array(places * NAMES);
    this.rivalUntilUs = new Float64Array(places * NAMES);
  }

  /** The ids of all names that are remembered; those of empty places are below 0. */
  get nameIds(): Iterable<number> {
    return this.names;
  }

  /** Addresses that have a name here, expired ones included; one with names from several sources counts for each. */
  get count(): number {
    let count = 0;
    for (const ofSource of this.countBySource) count += ofSource;
    return count;
  }

  /**
   * A DNS answer of `seenUs` gave the client whose address starts at `client` of `words` this address for `name`. Where the client has
   * another IP version than the address, it will use it from an address of its own that is not known here, so the name is then
   * anyone's: a client with both versions asks for both by either.
   */
  addAnswer(
    clientVersion: number,
    words: Int32Array,
    client: number,
    version: number,
    address: Int32Array,
    name: number,
    seenUs: number,
    ttlS: number,
  ): void {
    const isCrossed = version !== clientVersion;
    if (isCrossed) this.hasCrossed = true;
    this.setKey(NameSource.Dns, version, isCrossed ? ANYONE : words, isCrossed ? 0 : client, address, 0);
    this.remember(name, seenUs, seenUs + Math.min(Math.max(ttlS, ANSWER_S_MIN), ANSWER_S_MAX) * US_PER_S);
  }

  /** The device whose address starts at `address` of `words` has told its name. */
  addDevice(
    source: NameSource.Mdns | NameSource.Dhcp,
    version: number,
    words: Int32Array,
    address: number,
    name: number,
    us: number,
  ): void {
    this.setKey(source, version, ANYONE, 0, words, address);
    this.remember(name, us, us + DEVICE_S * US_PER_S);
  }

  /**
   * Looks for the name of a flow's server: the newest that was told before the flow began and still held then. A later segment of
   * a flow takes one that has expired since, too: the flow began with it. Sets `name` and `info` if it returns true.
   */
  find(version: number, words: Int32Array, src: number, dst: number, startUs: number, isLaterSegment: boolean): boolean {
    const isFound =
      this.findIn(NameSource.Dns, version, words, src, words, dst, startUs, isLaterSegment) ||
      this.findIn(NameSource.Mdns, version, ANYONE, 0, words, dst, startUs, isLaterSegment) ||
      this.findIn(NameSource.Dhcp, version, ANYONE, 0, words, dst, startUs, isLaterSegment) ||
      (this.hasCrossed && this.findIn(NameSource.Dns, version, ANYONE, 0, words, dst, startUs, isLaterSegment));
    if (isFound) this.hits++;
    else this.misses++;
    return isFound;
  }

  /** The rows so far are committed, and what was counted with them has been read. */
  settle(): void {
    this.hits = 0;
    this.misses = 0;
    this.evictions = 0;
  }

  /** The transaction was rolled back: forgets names whose ids were given in it, those above `textIdLast`. */
  revert(textIdLast: number): void {
    this.settle();
    const { names, keys, countBySource } = this;
    for (let place = 0; place < this.usedAt.length; place++) {
      const first = place * NAMES;
      const source = this.sourceAt(place);
      if (source === NameSource.None) continue;
      for (let i = first; i < first + NAMES; i++) if ((names[i] as number) > textIdLast) names[i] = NONE;
      if (names[first] !== NONE || names[first + 1] !== NONE) continue;
      keys[place * KEY_WORDS] = NameSource.None;
      countBySource[source] = (countBySource[source] as number) - 1;
    }
  }

  private findIn(
    source: NameSource,
    version: number,
    clients: Int32Array,
    client: number,
    servers: Int32Array,
    server: number,
    startUs: number,
    isLaterSegment: boolean,
  ): boolean {
    if (this.countBySource[source] === 0) return false;
    this.setKey(source, version, clients, client, servers, server);
    const place = this.placeOf(this.firstPlace());
    if (place === NONE) return false;
    this.usedAt[place] = ++this.useCount;
    return this.choose(source, place * NAMES, startUs, isLaterSegment);
  }

  /** Chooses among the names from index `first` on. */
  private choose(source: NameSource, first: number, startUs: number, isLaterSegment: boolean): boolean {
    let best = NONE;
    let bestUs = Number.NEGATIVE_INFINITY;
    for (let i = first; i < first + NAMES; i++) {
      if (this.names[i] === NONE || (this.firstUs[i] as number) > startUs) continue;
      if (!isLaterSegment && (this.expiresUs[i] as number) <= startUs) continue;
      const toldUs = this.lastToldUs(i, startUs);
      if (toldUs <= bestUs) continue;
      best = i;
      bestUs = toldUs;
    }
    if (best === NONE) return false;
    const isAmbiguous = startUs < (this.rivalUntilUs[best] as number) || this.heldAt(best ^ 1, startUs);
    this.name = this.names[best] as number;
    this.info = packNameInfo(source, isAmbiguous, Math.floor((startUs - bestUs) / US_PER_S));
    return true;
  }

  private lastToldUs(i: number, untilUs: number): number {
    if ((this.lastUs[i] as number) <= untilUs) return this.lastUs[i] as number;
    return (this.previousUs[i] as number) <= untilUs ? (this.previousUs[i] as number) : (this.firstUs[i] as number);
  }

  private heldAt(i: number, us: number): boolean {
    return this.names[i] !== NONE && (this.firstUs[i] as number) <= us && us < (this.expiresUs[i] as number);
  }

  /** Puts a name that was told at `us` under the key. Doing it twice is doing it once. */
  private remember(name: number, us: number, expiresUs: number): void {
    const { names, firstUs, previousUs, lastUs } = this;
    const firstPlace = this.firstPlace();
    let place = this.placeOf(firstPlace);
    if (place === NONE) place = this.claim(firstPlace, us);
    this.usedAt[place] = ++this.useCount;
    const first = place * NAMES;
    let i = names[first] === name ? first : first + 1;
    const isKnown = names[i] === name;
    if (!isKnown) {
      i = this.oldestOf(first);
      if (names[i] !== NONE && us < (lastUs[i] as number)) return;
    }
    // The name that gives way counts too, if it still holds.
    const rivalUntilUs = Math.max(
      this.holdsUntil(i ^ 1, us),
      isKnown ? (this.rivalUntilUs[i] as number) : this.holdsUntil(i, us),
    );
    this.rivalUntilUs[i] = rivalUntilUs;
    if (!isKnown) {
      names[i] = name;
      firstUs[i] = us;
      previousUs[i] = us;
      lastUs[i] = us;
      this.expiresUs[i] = expiresUs;
      return;
    }
    if (us > (lastUs[i] as number)) {
      previousUs[i] = lastUs[i] as number;
      lastUs[i] = us;
    }
    firstUs[i] = Math.min(firstUs[i] as number, us);
    this.expiresUs[i] = Math.max(this.expiresUs[i] as number, expiresUs);
  }

  /** Until when the name at `i` holds, if it held at `us`; otherwise 0. */
  private holdsUntil(i: number, us: number): number {
    return this.heldAt(i, us) ? (this.expiresUs[i] as number) : 0;
  }

  private oldestOf(first: number): number {
    for (let i = first; i < first + NAMES; i++) if (this.names[i] === NONE) return i;
    return (this.lastUs[first] as number) <= (this.lastUs[first + 1] as number) ? first : first + 1;
  }

  private setKey(
    source: NameSource,
    version: number,
    clients: Int32Array,
    client: number,
    servers: Int32Array,
    server: number,
  ): void {
    const { key } = this;
    key[0] = source | (version << 8);
    for (let i = 0; i < 4; i++) {
      key[1 + i] = clients[client + i] as number;
      key[5 + i] = servers[server + i] as number;
    }
  }

  /** First place of the set that the key belongs to. */
  private firstPlace(): number {
    let hash = 0;
    for (let i = 0; i < KEY_WORDS; i++) {
      hash = Math.imul(hash ^ (this.key[i] as number), 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    hash = Math.imul(hash, 0x85ebca6b);
    return Math.floor(((hash ^ (hash >>> 13)) >>> 0) * (this.sets / 2 ** 32)) * WAYS;
  }

  /** The place of the key in its set, or `NONE`. */
  private placeOf(first: number): number {
    for (let place = first; place < first + WAYS; place++) {
      const at = place * KEY_WORDS;
      let i = KEY_WORDS - 1;
      while (i >= 0 && this.keys[at + i] === this.key[i]) i--;
      if (i < 0) return place;
    }
    return NONE;
  }

  /** Gives the key a place in its set: a free one, or that of the least recently used. */
  private claim(first: number, us: number): number {
    let place = first;
    for (let other = first; other < first + WAYS; other++) {
      if (this.sourceAt(other) === NameSource.None) {
        place = other;
        break;
      }
      // Differences, since the count of uses wraps.
      if (((this.useCount - (this.usedAt[other] as number)) | 0) > ((this.useCount - (this.usedAt[place] as number)) | 0))
        place = other;
    }
    const { names, countBySource } = this;
    const lost = this.sourceAt(place);
    if (lost !== NameSource.None) {
      countBySource[lost] = (countBySource[lost] as number) - 1;
      if (this.heldAt(place * NAMES, us) || this.heldAt(place * NAMES + 1, us)) this.evictions++;
    }
    names.fill(NONE, place * NAMES, (place + 1) * NAMES);
    this.keys.set(this.key, place * KEY_WORDS);
    const source = this.sourceAt(place);
    countBySource[source] = (countBySource[source] as number) + 1;
    return place;
  }

  private sourceAt(place: number): NameSource {
    return (this.keys[place * KEY_WORDS] as number) & 0xff;
  }
}
