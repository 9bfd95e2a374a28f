import { AppError, type ErrorCode } from '../../errors.js';
import type { Gap } from '../../store/reader/ledger.js';
import { openReader, type ReadingDatabase } from '../../store/reader/open-reader.js';
import { HostReader } from '../host-snapshot.js';
import type { ReaderAnswer, ReaderStart, ReaderTask } from '../query/reader-task.js';
import { ActiveFlows } from './active-flows.js';
import { FLOW_QUERIES } from './flow-queries.js';
import { LIST_QUERIES } from './list-queries.js';
import { NotFound, type Query, type QueryParameters, type ReaderContext } from './query.js';
import { TRAFFIC_QUERIES } from './traffic-queries.js';

/** Queries by endpoint. */
const QUERIES: Readonly<Record<string, Query>> = { ...FLOW_QUERIES, ...LIST_QUERIES, ...TRAFFIC_QUERIES };

/** What a query may meet that is nobody's defect: the file is away, locked, or damaged. The client hears that, the log of the daemon says more. */
const DATABASE_ERRORS: readonly ErrorCode[] = [
  'DATABASE_NOT_FOUND',
  'DATABASE_FOREIGN',
  'DATABASE_NEWER',
  'DATABASE_LOCKED',
  'DATABASE_DAMAGED',
  'DATABASE_NOT_WRITABLE',
];

/** Answers queries in a thread of its own, with a connection of its own that is opened with the first query that needs it. */
export class Reader {
  private readonly context: ReaderContext;
  private db: ReadingDatabase | undefined;

  constructor({ config, memory }: ReaderStart) {
    const database = (): ReadingDatabase => {
      this.db ??= openReader(config.dbPath);
      return this.db;
    };
    this.context = {
      get db() {
        return database();
      },
      activeFlows: new ActiveFlows(memory),
      host: new HostReader(memory.host),
    };
  }

  /** Runs one query. What is a defect is thrown. */
  run({ query: name, parameters, sinceUs, untilUs }: ReaderTask): ReaderAnswer {
    const query: Query | undefined = QUERIES[name];
    if (query === undefined) throw new Error(`no query ${name}`);
    try {
      const answer = query(this.context, parameters as unknown as QueryParameters, { fromUs: sinceUs, toUs: untilUs });
      const body = typeof answer === 'string' ? answer : JSON.stringify(answer);
      return { ok: true, body: new TextEncoder().encode(body), endUs: endOf(answer, untilUs) };
    } catch (error) {
      return this.refusal(error);
    }
  }

  close(): void {
    this.db?.close();
    this.db = undefined;
  }

  private refusal(error: unknown): ReaderAnswer {
    if (error instanceof NotFound) return { ok: false, status: 404, detail: error.message };
    const code = error instanceof AppError ? error.code : null;
    if (code === 'DEVICE_NOT_FOUND') return { ok: false, status: 404, detail: `${(error as AppError).message}.` };
    if (code === 'RANGE_INVALID' || code === 'FILTER_INVALID')
      return { ok: false, status: 400, detail: `${(error as AppError).message}.` };
    const isOfDatabase = (code !== null && DATABASE_ERRORS.includes(code)) || isSqliteError(error);
    if (!isOfDatabase) throw error;
    // The file may have been exchanged or repaired by the next time.
    this.close();
    return { ok: false, status: 503, detail: 'The database cannot be read now; the log says more.' };
  }
}

interface TimedAnswer {
  readonly to_us?: number;
  readonly step_us?: number | null;
  readonly points?: readonly { readonly start_us: number }[];
  readonly gaps?: readonly Pick<Gap, 'end_us'>[];
  readonly sessions?: readonly { readonly clean: boolean | null }[];
}

/**
 * Where the time ends that the answer is about: sums are widened to whole minutes, hours, days or steps. A gap without an end, and a
 * run that goes on, will have another row one day, however long ago they began: there is no end then.
 */
function endOf(answer: object | string, untilUs: number): number {
  if (untilUs === 0 || typeof answer === 'string') return untilUs;
  const { to_us: toUs = 0, step_us: stepUs, points, gaps = [], sessions = [] } = answer as TimedAnswer;
  if (gaps.some((gap) => gap.end_us === null) || sessions.some(({ clean }) => clean === null)) return Number.POSITIVE_INFINITY;
  const last = points?.at(-1);
  return Math.max(untilUs, toUs, last && stepUs ? last.start_us + stepUs : 0);
}

const isSqliteError = (error: unknown): boolean =>
  error instanceof Error && /^SQLITE_/.test(String((error as { code?: unknown }).code));
