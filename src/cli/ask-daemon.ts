import { request } from 'node:http';
import { isIPv6 } from 'node:net';
import type { ZodType } from 'zod';
import { readToken } from '../api/http/token.js';
import { type HealthBody, healthSchema } from '../api/schema.js';
import { AppError } from '../errors.js';

/** How long the daemon may take to answer. */
const ANSWER_MS_MAX = 5_000;
const BODY_BYTES_MAX = 1_048_576;

/** Where a daemon listens. */
export interface Daemon {
  readonly address: string;
  readonly port: number;
  /** The file with the token that it asks for; '' for none. */
  readonly tokenFile?: string;
}

/** Where a daemon that listens on `address` can be asked on this machine. */
function reachable(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  return address === '::' ? '::1' : address;
}

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
