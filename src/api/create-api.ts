import type { FastifyInstance } from 'fastify';
import type { Config } from '../config.js';
import type { MaintenanceControl, PipelineMemory } from '../messages.js';
import { monotonicMs } from '../ring/thread-block.js';
import { HttpCounts } from './http/counts.js';
import { Gate } from './http/gate.js';
import { Token } from './http/token.js';
import { AlertWebhook } from './live/alert-webhook.js';
import { LiveFeed } from './live/live-feed.js';
import { LiveHub } from './live/live-hub.js';
import { liveSource } from './live/live-source.js';
import type { Monitor } from './monitor.js';
import { Queries } from './query/queries.js';
import { QueryPool } from './query/query-pool.js';
import { buildServer } from './server.js';

/** What the API is made from. */
export interface ApiParts {
  readonly config: Config;
  /** Where the database lies, if not at `db.path`. */
  readonly databasePath?: string;
  readonly memory: PipelineMemory;
  readonly monitor: Monitor;
  readonly maintenance: MaintenanceControl;
  /** Is told why a request could not be answered. */
  readonly onDefect: (error: Error) => void;
  /** Is told, in a sentence, that alerts cannot be posted. */
  readonly onWebhookTrouble?: (sentence: string) => void;
  /** Entry of the reader threads, for tests. */
  readonly readerFile?: URL;
}

/** The API of one daemon. */
export interface Api {
  readonly server: FastifyInstance;
  /** What the live stream tells of this second. To be called once a second. */
  tick(): void;
  /** Goes by another config from now on, as far as that is possible at run time: it posts alerts where that wants them. */
  reconfigure(config: Config): void;
  /** Ends the server and its reader threads. */
  close(): Promise<void>;
}

const SECOND_US = 1_000_000;

/** Puts the API together; it does not listen yet. Throws `API_TOKEN_INVALID`. */
export function createApi(parts: ApiParts): Api {
  const { config, memory, monitor, maintenance, onDefect, onWebhookTrouble, readerFile, databasePath = config.dbPath } = parts;
  const token = config.apiTokenFile === '' ? null : Token.read(config.apiTokenFile);
  const counts = new HttpCounts();
  const queries = new Queries(
    new QueryPool({ config: { ...config, dbPath: databasePath }, memory }, onDefect, readerFile),
    settleUs(config),
  );
  const gate = new Gate(config, token, counts, monotonicMs);
  const hub = new LiveHub();
  const source = liveSource(monitor, queries);
  const feed = new LiveFeed(hub, source);
  const webhook = new AlertWebhook(source, onWebhookTrouble ?? (() => undefined));
  webhook.sendTo(config.alertsWebhookUrl);
  const server = buildServer({ config, monitor, gate, counts, queries, maintenance, live: { hub, feed }, onDefect });
  return {
    server,
    tick() {
      feed.tick();
      webhook.tick(monotonicMs());
    },
    reconfigure(next) {
      queries.settleAfter(settleUs(next));
      webhook.sendTo(next.alertsWebhookUrl);
    },
    async close() {
      webhook.close();
      hub.close();
      await server.close();
      await queries.close();
    },
  };
}

/** How long after its last packet a flow may still be written: by the longest timeout, and the longest wait of a batch. */
function settleUs(config: Config): number {
  const { flowIdleTcpS, flowIdleUdpS, flowIdleOtherS, flowActiveS, batchAgeMsMax } = config;
  // A flow that goes on is never written without an active timeout: no time is ever over.
  const longestS =
    flowActiveS === 0 ? Number.POSITIVE_INFINITY : Math.max(flowIdleTcpS, flowIdleUdpS, flowIdleOtherS, flowActiveS);
  return longestS * SECOND_US + batchAgeMsMax * 1000;
}
