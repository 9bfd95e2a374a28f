import { setTimeout as sleep } from 'node:timers/promises';
import type { Asked } from './asked.js';
import { Client } from './client.js';
import type { ApiBenchOptions } from './options.js';
import type { RequestKind } from './requests.js';

/** Between two looks at /health. */
const HEALTH_INTERVAL_MS = 20;
const SEED = 1;

/** So many users, each with so many requests and a pause of so many ms on average before each. */
type HowUsersAsk = Pick<ApiBenchOptions, 'users' | 'requests' | 'pauseMs'>;

/** What the users and the watchdog beside them have seen. */
export interface Asking {
  readonly asked: readonly Asked[];
  readonly health: readonly Asked[];
  readonly wallS: number;
}

/** Users of an API, and a watchdog that looks at /health; each has a connection of its own. */
export class Users {
  private readonly clients: Client[] = [];

  constructor(
    private readonly url: URL,
    private readonly token: string | null,
  ) {}

  /** A connection more, which `close` ends. */
  newClient(): Client {
    const client = new Client(this.url, this.token);
    this.clients.push(client);
    return client;
  }

  /** Has so many users ask for everything, in random order, and looks at /health meanwhile. */
  async ask({ users, requests, pauseMs }: HowUsersAsk, kinds: readonly RequestKind[]): Promise<Asking> {
    const over = new AbortController();
    const watching = this.watchHealth(over.signal);
    const startMs = performance.now();
    const asking = Array.from({ length: users }, (_, user) => runUser(this.newClient(), kinds, requests, pauseMs, user + SEED));
    const asked = (await Promise.all(asking)).flat();
    const wallS = (performance.now() - startMs) / 1000;
    over.abort();
    return { asked, health: await watching, wallS };
  }

  /** Looks at /health until it is told to stop. */
  async watchHealth(signal: AbortSignal): Promise<Asked[]> {
    const client = this.newClient();
    const seen: Asked[] = [];
    while (!signal.aborted) {
      const { status, ms } = await client.get('/health');
      // A daemon that records nothing says that it failed; it answers all the same.
      seen.push({ kind: 'health', status: status === 503 ? 200 : status, ms });
      await sleep(HEALTH_INTERVAL_MS);
    }
    return seen;
  }

  close(): void {
    for (const client of this.clients) client.close();
  }
}

/** Random numbers that are the same in every run: xorshift. */
function randomOf(seed: number): (below: number) => number {
  let state = seed * 0x9e37_79b9 + 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

async function runUser(
  client: Client,
  kinds: readonly RequestKind[],
  requests: number,
  pauseMs: number,
  seed: number,
): Promise<Asked[]> {
  const random = randomOf(seed);
  const asked: Asked[] = [];
  for (let request = 0; request < requests; request++) {
    // Of different lengths, so that users do not ask in step.
    if (pauseMs > 0) await sleep(random(2 * pauseMs));
    const kind = kinds[random(kinds.length)] as RequestKind;
    const { status, ms } = await client.get(kind.paths[random(kind.paths.length)] as string);
    asked.push({ kind: kind.name, status, ms });
  }
  return asked;
}
