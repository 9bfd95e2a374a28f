import type { IncomingHttpHeaders } from 'node:http';
import type { Config } from '../../config.js';
import { Attempts } from './attempts.js';
import type { HttpCounts } from './counts.js';
import { SERVER_LIMITS } from './limits.js';
import { AllowedNames } from './names.js';
import { countedAs, isLoopbackRemote } from './remote.js';
import type { Token } from './token.js';

/** What the gate looks at; a request and an upgrade both have it. */
export interface Approach {
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as they came. */
  readonly rawHeaders?: readonly string[];
  readonly socket: { readonly remoteAddress?: string | undefined; readonly localAddress?: string | undefined };
}

/** Why somebody is turned away: a status, a sentence, and when to come again. */
export interface Refusal {
  readonly status: 401 | 403 | 421 | 429;
  readonly detail: string;
  readonly retryAfterS?: number;
}

const MINUTE_MS = 60_000;
const SECOND_MS = 1_000;

/** Decides who may ask. Plain HTTP and upgrades go through the same gate; it keeps nothing of what it is shown. */
export class Gate {
  private readonly names: AllowedNames;
  private readonly failures = new Attempts(SERVER_LIMITS.tokenFailuresPerSecondMax, SECOND_MS, SERVER_LIMITS.addressesCountedMax);
  private readonly requests: Attempts;

  /** `token` null: nobody is asked for one. */
  constructor(
    config: Config,
    private readonly token: Token | null,
    private readonly counts: HttpCounts,
    private readonly nowMs: () => number,
  ) {
    this.names = new AllowedNames(config.apiHosts);
    this.requests = new Attempts(config.apiRequestsPerMinuteMax, MINUTE_MS, SERVER_LIMITS.addressesCountedMax);
  }

  /** Host and Origin: what every request and every upgrade must get right. */
  checkNames(approach: Approach): Refusal | null {
    const { host, origin } = approach.headers;
    if (host === undefined || hostCount(approach) > 1 || !this.names.isHost(host, approach.socket.localAddress)) {
      this.counts.refused.host++;
      return { status: 421, detail: 'The Host header must name this machine by its address, localhost or a name of api.hosts.' };
    }
    if (origin !== undefined && !this.names.isOrigin(origin, host)) {
      this.counts.refused.origin++;
      return { status: 403, detail: 'Pages of another origin may not use this API; api.hosts allows more.' };
    }
    return null;
  }

  /** Whether the request may see everything: no token is asked for, or it is shown. Counts nothing; it is for what all may see in part. */
  isTrusted(approach: Approach): boolean {
    return this.token === null || this.check(approach, this.token) === null;
  }

  /** The token, where one is asked for. */
  authorize(approach: Approach): Refusal | null {
    return this.token === null ? null : this.check(approach, this.token);
  }

  /** One request for data of a client from elsewhere. This machine's own are not counted. */
  admit(approach: Approach): Refusal | null {
    const { remoteAddress } = approach.socket;
    if (isLoopbackRemote(remoteAddress)) return null;
    const waitMs = this.requests.take(countedAs(remoteAddress), this.nowMs());
    if (waitMs === 0) return null;
    this.counts.refused.rate++;
    const retryAfterS = Math.ceil(waitMs / SECOND_MS);
    return { status: 429, detail: 'Too many requests for data (api.requests-per-minute-max).', retryAfterS };
  }

  /** With too many failures behind it, a client is refused whatever it shows: the answer tells nothing of the token. */
  private check({ headers, socket }: Approach, token: Token): Refusal | null {
    const client = countedAs(socket.remoteAddress);
    const nowMs = this.nowMs();
    if (this.failures.waitMs(client, nowMs) > 0) {
      this.counts.refused.token_rate++;
      return { status: 429, detail: 'Too many wrong tokens from this address.', retryAfterS: 1 };
    }
    if (token.isShownBy(headers.authorization)) return null;
    // Who shows nothing guesses nothing.
    if (headers.authorization !== undefined) this.failures.count(client, nowMs);
    this.counts.refused.token++;
    return { status: 401, detail: 'Show the token of api.token-file: Authorization: Bearer …' };
  }
}

/** Of two Host headers Node shows the first; another program before us may have looked at the second. */
function hostCount({ rawHeaders = [] }: Approach): number {
  return rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
}
