import { CompletenessReader } from '../../store/reader/completeness.js';
import { DeviceReader, type DeviceRow } from '../../store/reader/devices.js';
import { DnsReader } from '../../store/reader/dns.js';
import { LedgerReader } from '../../store/reader/ledger.js';
import type { ReadingDatabase } from '../../store/reader/open-reader.js';
import { SearchReader } from '../../store/reader/search.js';
import type { ActiveFlows, ActiveFlowsWanted } from './active-flows.js';
import { readCursor, writeCursor } from './number-cursor.js';
import { TRAFFIC_QUERIES } from './traffic-queries.js';

/** What queries work with. */
export interface ReaderContext {
  readonly db: ReadingDatabase;
  readonly activeFlows: ActiveFlows;
  /** Wall clock, µs since 1970. */
  readonly nowUs: () => number;
}

/** From the first moment to before the second, µs since 1970. */
export interface QueryRange {
  readonly fromUs: number;
  readonly toUs: number;
}

/** Answers one endpoint: an object, or text that is ready to go out. The parameters fit the endpoint's schema. */
// biome-ignore lint/suspicious/noExplicitAny: the schema of the endpoint has checked what is in it
export type Query = (context: ReaderContext, parameters: any, range: QueryRange) => object | string;

/** There is no such thing (404). */
export class NotFound extends Error {
  override readonly name = 'NotFound';
}
