import type { DirectionName } from '../../store/reader/analytics/summary.js';
import type { TopSubject } from '../../store/reader/analytics/top.js';
import type { LiveTopicOfRows } from '../../store/reader/live-rows.js';
import type { ReadingDatabase } from '../../store/reader/open-reader.js';
import type { HostReader } from '../host-snapshot.js';
import type { ActiveFlows } from './active-flows.js';

/** What queries work with. */
export interface ReaderContext {
  /** Opened with the first query that needs it. Throws what `openReader` throws. */
  readonly db: ReadingDatabase;
  readonly activeFlows: ActiveFlows;
  readonly host: HostReader;
}

/** From the first moment to before the second, µs since 1970. */
export interface QueryRange {
  readonly fromUs: number;
  readonly toUs: number;
}

/** Parameters of all endpoints by name; the schema of each endpoint says which of them it has, and has checked them. */
export interface QueryParameters extends FlowParameters {
  readonly id: number;
  readonly q: string;
  readonly sort: 'bytes' | 'newest';
  readonly search?: string;
  readonly code?: string;
  readonly subject: TopSubject;
  readonly step_s?: number;
  readonly direction?: DirectionName;
  readonly acknowledged?: boolean;
  readonly topic: LiveTopicOfRows;
  readonly after: number | null;
}

/** Filters of flows, and which page of them. */
export interface FlowParameters {
  readonly ip?: string;
  readonly net?: string;
  readonly port?: number;
  readonly protocol?: number;
  readonly application?: string;
  readonly name?: string;
  readonly device?: string;
  readonly interface?: string;
  readonly vlan_id?: number;
  readonly end_reason?: string;
  readonly bytes_min?: number;
  readonly limit: number;
  readonly cursor?: string;
  /** `newest` or `oldest` of a list, a column of a sum. */
  readonly order: string;
  readonly format?: 'ndjson' | 'csv';
}

/** Answers one endpoint: an object, or text that is ready to go out. */
export type Query = (context: ReaderContext, parameters: QueryParameters, range: QueryRange) => object | string;

/** There is no such thing (404). */
export class NotFound extends Error {
  override readonly name = 'NotFound';
}
