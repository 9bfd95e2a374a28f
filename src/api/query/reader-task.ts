import type { Config } from '../../config.js';
import type { PipelineMemory } from '../../messages.js';

/** What a reader thread is told when it starts. */
export interface ReaderStart {
  readonly config: Config;
  readonly memory: PipelineMemory;
}

/** One query for a reader thread: the name of an endpoint, and parameters that were checked. */
export interface ReaderTask {
  readonly query: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The time that the answer is about, µs since 1970: from `sinceUs` to before `untilUs`. */
  readonly sinceUs: number;
  readonly untilUs: number;
  /** The same request means another time later. */
  readonly isMoving?: boolean;
}

/** What a reader thread answers: the body as it goes out, or why there is none. */
export type ReaderAnswer =
  | { readonly ok: true; readonly body: Uint8Array; readonly endUs: number }
  | { readonly ok: false; readonly status: 400 | 404 | 409 | 503; readonly detail: string };

/** What the first line of a page of an export tells; the pages go out without it. */
export interface ExportPage {
  /** Cursor of the next page; null at the end. */
  readonly next: string | null;
  /** Of the whole time; on the first page. */
  readonly complete?: boolean;
  readonly lost_packets?: number;
}
