import { once } from 'node:events';
import { WebSocket } from 'ws';

type Told = { readonly type: string; readonly [member: string]: unknown };

const TOPICS = ['stats', 'health', 'flows', 'devices', 'alerts'];

/** A client that reads everything at once, and keeps account of it. */
export class FastClient {
  messages = 0;
  flows = 0;
  /** Ids of the first and the last flow. */
  firstId = 0;
  lastId = 0;
  /** Flows that came twice, or behind a newer one. */
  disordered = 0;
  /** Messages that the stream says it dropped. */
  dropped = 0;
  /** Times that the stream says it passed rows over. */
  skipped = 0;
  /** The connection ended before `close`. */
  isLost = false;
  private readonly socket: WebSocket;

  constructor(url: string) {
    this.socket = new WebSocket(url);
    this.socket.on('error', () => undefined);
    this.socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as Told;
      if (message.type !== 'batch') return this.take(message);
      for (const each of message['messages'] as Told[]) this.take(each);
    });
  }

  /** Resolves when it has asked for everything. Throws when the server does not want it. */
  async subscribe(): Promise<void> {
    await once(this.socket, 'open');
    this.socket.on('close', () => {
      this.isLost = true;
    });
    this.socket.send(JSON.stringify({ type: 'subscribe', topics: TOPICS }));
  }

  close(): void {
    this.socket.removeAllListeners('close');
    this.socket.terminate();
  }

  private take(message: Told): void {
    this.messages++;
    if (message.type === 'flow') this.takeFlow(message['id'] as number);
    else if (message.type === 'skipped') this.skipped++;
    else if (message.type === 'dropped')
      for (const count of Object.values(message['messages'] as Record<string, number>)) this.dropped += count;
  }

  private takeFlow(id: number): void {
    if (id <= this.lastId) this.disordered++;
    else this.lastId = id;
    this.firstId ||= id;
    this.flows++;
  }
}
