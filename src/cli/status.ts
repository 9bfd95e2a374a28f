import { request } from 'node:http';
import { isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ZodType } from 'zod';
import { readToken } from '../api/http/token.js';
import { type HealthBody, healthSchema } from '../api/schema.js';
import { AppError } from '../errors.js';
import { formatStatus, type Rates } from './status-format.js';

/** What `flowberry status` is told. */
export interface StatusOptions {
  readonly address: string;
  readonly port: number;
  /** The file with the token that the daemon asks for; '' for none. */
  readonly tokenFile?: string;
  /** Print the body of `/health` on one line, as JSON. */
  readonly json: boolean;
  /** Ask twice, a second apart, and add rates. */
  readonly watch?: boolean;
  /** Takes the text; standard output by default. */
  readonly write?: (text: string) => void;
}

/** How long the daemon may take to answer. */
const ANSWER_MS_MAX = 5_000;
const BODY_BYTES_MAX = 1_048_576;
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

/** Where a daemon that listens on `address` can be asked on this machine. */
function reachable(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  return address === '::' ? '::1' : address;
}

/** Where a daemon is asked, and the file with the token that it asks for; '' for none. */
type Daemon = Pick<StatusOptions, 'address' | 'port' | 'tokenFile'>;

/** What it is asked; `/health` where nothing is said. */
interface Ask {
  readonly method?: 'PATCH';
  readonly path?: string;
  readonly body?: object;
}

/** The body of `/health`. Throws `API_UNREACHABLE` when no flowberry answers. */
export async function readHealth(daemon: Daemon): Promise<HealthBody> {
  return await askDaemon(daemon, healthSchema);
}

/** What a daemon answers, if it has this schema. Throws `API_UNREACHABLE` when no flowberry answers so. */
export async function askDaemon<T>(
  { address: listening, port, tokenFile = '' }: Daemon,
  schema: ZodType<T>,
  ask: Ask = {},
): Promise<T> {
  const address = reachable(listening);
  const where = `${isIPv6(address) ? `[${address}]` : address}:${port}`;
  const headers: Record<string, string> = tokenFile === '' ? {} : { authorization: `Bearer ${readToken(tokenFile)}` };
  let text: string;
  try {
    text = await answerOf(address, port, headers, ask);
  } catch (error) {
    throw new AppError('API_UNREACHABLE', `no answer from ${where}: ${(error as Error).message}`, { cause: error });
  }
  const body = schema.safeParse(fromJson(text));
  if (!body.success) throw new AppError('API_UNREACHABLE', `what answers on ${where} is no flowberry of this version`);
  return body.data;
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The caller finds that nothing fits its schema, and says so.
    return undefined;
  }
}

/** The body of the answer, whatever the status. Not `fetch`, which refuses some ports that an operator may choose. */
function answerOf(address: string, port: number, given: Record<string, string>, ask: Ask): Promise<string> {
  const { method = 'GET', path = '/health', body } = ask;
  const headers = body ? { ...given, 'content-type': 'application/json' } : given;
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(ANSWER_MS_MAX);
    signal.addEventListener('abort', () => reject(new Error(`timed out after ${ANSWER_MS_MAX} ms`)), { once: true });
    const call = request({ host: address, port, method, path, headers, agent: false, signal }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
        if (text.length > BODY_BYTES_MAX) call.destroy(new Error(`more than ${BODY_BYTES_MAX} bytes`));
      });
      response.on('end', () => resolve(text));
      response.on('error', reject);
    });
    call.on('error', reject);
    call.end(body && JSON.stringify(body));
  });
}
