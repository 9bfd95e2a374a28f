/** What is asked about: from the first moment on, before the second; µs since 1970 UTC, integers of 0 or more. */
export interface Range {
  readonly fromUs: number;
  readonly toUs: number;
}

/** What every answer tells of itself. */
export interface Answer extends Range {
  /** The range that was added up: what was asked for, widened to whole minutes, hours or days. */
  readonly fromUs: number;
  readonly toUs: number;
  /** Flows that ended and were written before this moment are in the sums, at most a minute and a batch ago; null before the first. */
  readonly reachesUs: number | null;
  /** Whether the ledger knows of no loss in the range, and how many packets were lost for certain. A gap is a loss of unknown size. */
  readonly complete: boolean;
  readonly lostPackets: number;
}

/** Sums over flows. `out` is what the local side sent, or the initiator where both sides are local or neither is. */
export interface Traffic {
  /** Rows of `flows`: a long flow counts once for each of its segments. */
  readonly flows: number;
  readonly packetsOut: number;
  readonly packetsIn: number;
  /** IP total length. */
  readonly bytesOut: number;
  readonly bytesIn: number;
  /** TCP segments, both ways. */
  readonly retransmits: number;
  readonly outOfOrder: number;
  /** Handshakes whose round trip was seen, the mean of those, and of the part between the initiator and the observer; µs. */
  readonly rttCount: number;
  readonly rttMeanUs: number | null;
  readonly rttClientMeanUs: number | null;
  /** TCP connections that were asked for, refused, and not answered. */
  readonly tcpAttempts: number;
  readonly tcpRejected: number;
  readonly tcpUnanswered: number;
}

/** Round trips, µs; percentiles are taken from the bands, and lie within the band of the true value. Null without any. */
export interface Percentiles {
  readonly p50Us: number | null;
  readonly p95Us: number | null;
}

/** Most rows, or points, of one answer; a larger `limit` is refused. */
export const LIMIT_MAX = 1000;
/** A day by the minute. */
export const POINTS_MAX = 1440;
