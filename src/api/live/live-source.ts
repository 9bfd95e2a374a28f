import type { Monitor } from '../monitor.js';
import type { Queries } from '../query/queries.js';
import { type LiveSource, ROWS_PER_PAGE } from './live-feed.js';
import type { LiveFields } from './live-message.js';

/** Ids are made unique by counting on, and clocks differ a little. */
const CLOCK_MARGIN_US = 60_000_000;

/** Where the feed of a running daemon looks: the shared memory through the monitor, and the database through the readers. */
export function liveSource(monitor: Monitor, queries: Queries): LiveSource {
  return {
    snapshot: () => monitor.snapshot(),
    judge: (snapshot) => monitor.judge(snapshot),
    nowUs: () => monitor.nowUs(),
    async rowsAfter(topic, after) {
      const parameters = { topic, after, limit: ROWS_PER_PAGE };
      const answer = await queries.runPlain({
        query: 'liveRows',
        parameters,
        sinceUs: 0,
        untilUs: monitor.nowUs() + CLOCK_MARGIN_US,
      });
      if (!answer.ok) throw new Error(answer.detail);
      return JSON.parse(new TextDecoder().decode(answer.body)) as { rows: LiveFields[]; newest: number };
    },
  };
}
