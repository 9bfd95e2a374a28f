import { setTimeout as sleep } from 'node:timers/promises';
import type { HealthBody } from '../api/schema.js';
import { type Daemon, readHealth } from './ask-daemon.js';
import { formatStatus, type Rates } from './status-format.js';

/** What `flowberry status` is told. */
export interface StatusOptions extends Daemon {
  /** Print the body of `/health` on one line, as JSON. */
  readonly json: boolean;
  /** Ask twice, a second apart, and add rates. */
  readonly watch?: boolean;
  /** Takes the text; standard output by default. */
  readonly write?: (text: string) => void;
}

const WATCH_MS = 1_000;

/**
 * Prints what a running daemon says of itself. Answers the exit code: 0 for ok and degraded, 1 for failed. Throws `AppError`
 * with code `API_UNREACHABLE` when nobody answers, or somebody else does.
 */
export async function runStatus(options: StatusOptions): Promise<number> {
  const { json, watch = false, write = writeOut } = options;
  let body = await readHealth(options);
  let rates: Rates | null = null;
  if (watch) {
    await sleep(WATCH_MS);
    const before = body;
    body = await readHealth(options);
    rates = ratesOf(before, body);
  }
  write(json ? `${JSON.stringify(rates ? { ...body, rates } : body)}\n` : formatStatus(body, rates));
  return body.status === 'failed' ? 1 : 0;
}

function writeOut(text: string): void {
  process.stdout.write(text);
}

/** Growth per second between two bodies of the same run; zero where a counter started anew. */
export function ratesOf(before: HealthBody, after: HealthBody): Rates {
  const elapsedS = after.uptime_s - before.uptime_s;
  const perSecond = (counter: (body: HealthBody) => number): number => {
    const growth = counter(after) - counter(before);
    return elapsedS > 0 && growth > 0 ? Math.round(growth / elapsedS) : 0;
  };
  return {
    packets_per_s: perSecond((body) => body.ledger.received),
    wire_bytes_per_s: perSecond((body) => body.capture.received_wire_bytes),
    flows_created_per_s: perSecond((body) => body.flows.created),
    flows_written_per_s: perSecond((body) => body.flows.written),
  };
}
