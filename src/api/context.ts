import type { Config } from '../config.js';
import type { MaintenanceControl } from '../messages.js';
import type { HttpCounts } from './http/counts.js';
import type { Gate } from './http/gate.js';
import type { LiveFeed } from './live/live-feed.js';
import type { LiveHub } from './live/live-hub.js';
import type { Monitor } from './monitor.js';
import type { Queries } from './query/queries.js';

/** What the routes are made of. */
export interface ApiContext {
  readonly config: Config;
  readonly monitor: Monitor;
  readonly gate: Gate;
  readonly counts: HttpCounts;
  readonly queries: Queries;
  /** Has the writer change what people say of devices and alerts. */
  readonly maintenance: MaintenanceControl;
  readonly live: { readonly hub: LiveHub; readonly feed: LiveFeed };
  /** Is told why a request could not be answered (500); the client is not. */
  readonly onDefect: (error: Error) => void;
}
