import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpCounts } from './counts.js';
import { SERVER_LIMITS } from './limits.js';
import { countedAs, isLoopbackRemote } from './remote.js';

/**
 * Keeps the number of connections within its limits, so that nobody who opens many and says nothing keeps others out: for a new one,
 * the one that has been without a request for longest gives way.
 */
export class Connections {
  /** Those without a whole request, the one that has been for longest first. */
  private readonly idle = new Set<Socket>();
  private readonly byAddress = new Map<string, number>();
  private readonly known = new WeakSet<Socket>();
  private open = 0;

  constructor(
    server: Server,
    private readonly counts: HttpCounts,
  ) {
    server.on('connection', (socket) => this.accept(socket));
    server.on('request', (request, response) => {
      const { socket, headers } = request;
      const hasBody = headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
      // Who sends a body slowly is as idle as who sends headers slowly.
      if (hasBody) request.once('end', () => this.hold(socket));
      else this.hold(socket);
      response.once('close', () => {
        this.idle.delete(socket);
        if (!socket.destroyed) this.idle.add(socket);
      });
    });
  }

  /** The connection is in use, and does not give way; one that was upgraded stays so until it ends. */
  hold(socket: Socket): void {
    this.idle.delete(socket);
  }

  private accept(socket: Socket): void {
    // The server takes one up again whose request offered another protocol.
    if (this.known.has(socket)) return;
    this.known.add(socket);
    const isLocal = isLoopbackRemote(socket.remoteAddress);
    const address = countedAs(socket.remoteAddress);
    const ofAddress = this.byAddress.get(address) ?? 0;
    const { refused } = this.counts;
    if (!isLocal && ofAddress >= SERVER_LIMITS.connectionsPerAddressMax) {
      refused.address_connections++;
      socket.destroy();
      return;
    }
    if (this.open >= SERVER_LIMITS.connectionsMax && !this.makeRoom()) {
      refused.connections++;
      socket.destroy();
      return;
    }
    this.open++;
    this.byAddress.set(address, ofAddress + 1);
    this.idle.add(socket);
    this.counts.connectionsAccepted++;
    this.counts.connectionsOpen = this.open;
    socket.once('close', () => {
      this.idle.delete(socket);
      this.open--;
      this.counts.connectionsOpen = this.open;
      this.counts.sentBytes += socket.bytesWritten;
      const rest = (this.byAddress.get(address) ?? 1) - 1;
      if (rest === 0) this.byAddress.delete(address);
      else this.byAddress.set(address, rest);
    });
  }

  /** Its place is free at once, although it is counted until it has closed. */
  private makeRoom(): boolean {
    const [oldest] = this.idle;
    if (oldest === undefined) return false;
    this.idle.delete(oldest);
    oldest.destroy();
    this.counts.connectionsEvicted++;
    return true;
  }
}
