/** What rows are looked up by; the numbers are stored in `lookup.kind`, so entries are only added. */
export const enum LookupKind {
  /** Of either side, as in `flows`. */
  Address = 0,
  /** `texts.id` of a server name or of the name that was asked for. */
  Name = 1,
  /** `domainHash` of every domain above such a name. */
  Domain = 2,
  /** Number in `APPLICATIONS`. */
  Application = 3,
  /** Of either side, if it is below `PORT_END`. */
  Port = 4,
  Protocol = 5,
  Interface = 6,
  /** None for untagged frames. */
  Vlan = 7,
  EndReason = 8,
  /** DNS response code; -1 for a query without an answer. */
  Code = 9,
}

/** Whose rows are looked up; the numbers are stored in `lookup_runs.subject`. */
export const enum LookupSubject {
  Flows = 0,
  Dns = 1,
}

/**
 * Ports from here on are mostly those that clients get by chance (Linux takes 32,768 and above for that): one entry per flow, and
 * hardly ever asked for. A search for one of them reads rows.
 */
export const PORT_END = 32_768;

/** Where the signed numbers of addresses begin; with this added they are below `KEY_SPAN`. */
export const KEY_MIN = -(2 ** 31);
/** Keys are below `KEY_MIN + KEY_SPAN`: IPv4 addresses, and 2^33 - 2^31 ids of IPv6 addresses and texts. */
export const KEY_SPAN = 2 ** 34;

/** Rows of a segment, the smallest part of a run that is read by itself: 5 KB. What is rare is found to the segment. */
export const SEGMENT_ROWS = 64;
export const BLOCK_SEGMENTS = 16;
/** Rows of a block; what is in many segments is found to the block. */
export const BLOCK_ROWS = SEGMENT_ROWS * BLOCK_SEGMENTS;
/** Blocks of a run: with the three bits that tell the two forms of `lookup.places` apart, they fit into a number that stays exact. */
export const RUN_BLOCKS = 48;
export const RUN_SEGMENTS = RUN_BLOCKS * BLOCK_SEGMENTS;
export const RUN_ROWS = BLOCK_ROWS * RUN_BLOCKS;

/** Segments that `lookup.places` can name one by one. */
export const SEGMENTS_NAMED_MAX = 4;
/** Room for their count, and for each of them: a power of two above `RUN_SEGMENTS`. */
export const COUNT_SPAN = 8;
export const SEGMENT_SPAN = 1024;

/** Domains above a name that are looked up, those nearest to the root; deeper ones are found by these. */
const DOMAINS_MAX = 6;

/**
 * Calls `take` with the hash of each domain above the name, at most six: for `a.b.example.com` those of `com`, `example.com` and
 * `b.example.com`.
 */
export function eachDomain(name: string, take: (hash: number) => void): void {
  let labels = 0;
  for (let dot = name.lastIndexOf('.'); dot > 0 && labels < DOMAINS_MAX; dot = name.lastIndexOf('.', dot - 1)) {
    take(domainHash(name, dot + 1));
    labels++;
  }
}

/** The domain by which names below `domain` are looked up: itself, or the nearest one above it that is. */
export function domainKey(domain: string): number {
  const labels = domain.split('.');
  return domainHash(labels.slice(-DOMAINS_MAX).join('.'), 0);
}

/** FNV-1a of the text from `start` on, 32 bits signed. Two domains with one hash cost time and nothing else. */
function domainHash(text: string, start: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash | 0;
}
