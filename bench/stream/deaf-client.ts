import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const OPCODE_TEXT = 0x1;
const OPCODE_PONG = 0xa;
/** So often it says that it is alive, which is also how it learns that it was disconnected: who reads nothing hears of no end. */
const PONG_MS = 1_000;
const AGAIN_MS = 100;

/** A frame of a client (RFC 6455 section 5.2), whose mask is zero. */
function frame(opcode: number, text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

/** A client that subscribes, wants nothing compressed, and never reads. Each time that it is disconnected it comes again. */
export class DeafClient {
  /** Times that it was disconnected. */
  closings = 0;
  private socket: Socket | undefined;
  private isClosed = false;

  constructor(private readonly url: URL) {
    this.connect();
  }

  close(): void {
    this.isClosed = true;
    this.socket?.destroy();
  }

  private connect(): void {
    const { hostname, port, host, pathname } = this.url;
    const socket = connect(Number(port), hostname);
    this.socket = socket;
    socket.pause();
    socket.on('error', () => undefined);
    const pong = setInterval(() => socket.write(frame(OPCODE_PONG, '')), PONG_MS);
    socket.on('connect', () => {
      const headers = [
        `GET ${pathname} HTTP/1.1`,
        `Host: ${host}`,
        'Upgrade: websocket',
        'Connection: Upgrade',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
      ];
      socket.write(`${headers.join('\r\n')}\r\n\r\n`);
      socket.write(frame(OPCODE_TEXT, '{"type":"subscribe","topics":["stats","health","flows","devices","alerts"]}'));
    });
    socket.on('close', () => {
      clearInterval(pong);
      if (!this.isClosed) void this.comeAgain();
    });
  }

  private async comeAgain(): Promise<void> {
    this.closings++;
    await sleep(AGAIN_MS);
    if (!this.isClosed) this.connect();
  }
}
