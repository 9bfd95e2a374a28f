import { Agent, request } from 'node:http';

/** One answer, and how long it took from the request to its last byte. */
export interface Answered {
  /** 0: the connection broke. */
  readonly status: number;
  readonly body: Buffer;
  readonly ms: number;
}

const ANSWER_MS_MAX = 60_000;

/** One user: a connection that is kept, and requests on it one after the other. */
export class Client {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 1 });
  private readonly headers: Record<string, string>;

  /** `token` is shown with every request, unless it is null. */
  constructor(
    private readonly url: URL,
    token: string | null,
  ) {
    this.headers = token === null ? {} : { authorization: `Bearer ${token}` };
  }

  get(path: string): Promise<Answered> {
    const startMs = performance.now();
    return new Promise((resolve) => {
      const end = (status: number, body: Buffer): void => resolve({ status, body, ms: performance.now() - startMs });
      const { hostname, port } = this.url;
      const call = request(
        { host: hostname.replaceAll(/[[\]]/g, ''), port, path, headers: this.headers, agent: this.agent, timeout: ANSWER_MS_MAX },
        (response) => {
          const parts: Buffer[] = [];
          response.on('data', (part: Buffer) => parts.push(part));
          response.on('end', () => end(response.statusCode ?? 0, Buffer.concat(parts)));
          response.on('error', () => end(0, Buffer.alloc(0)));
        },
      );
      call.on('timeout', () => call.destroy());
      call.on('error', () => end(0, Buffer.alloc(0)));
      call.end();
    });
  }

  close(): void {
    this.agent.destroy();
  }
}
