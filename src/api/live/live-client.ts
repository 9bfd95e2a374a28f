import { type LiveFilter, passes } from './live-filter.js';
import type { LiveFrame, LiveFrames } from './live-frames.js';
import { LiveMessage, type LiveTopic } from './live-message.js';
import { LiveQueue, type QueueLimits } from './live-queue.js';

/** A connection that takes frames: a WebSocket, or a stream of server-sent events. */
export interface LiveSink {
  /** Bytes handed to `send` that the network has not taken yet. */
  readonly unsentBytes: number;
  send(frame: LiveFrame): void;
  /** Says why, and ends the connection; what has not been sent by then is lost. */
  close(reason: CloseReason): void;
}

/** Why the server ends a connection. */
export type CloseReason = 'too slow' | 'stopping' | 'not understood';

/** No frame is begun while so much of earlier ones is still unsent: what waits shall wait in the queue, where it can be dropped. */
const UNSENT_BYTES_MAX = 65_536;
/** Messages of a frame, and how it grows: with a long queue, fewer and larger frames. */
const BATCH_MESSAGES_MIN = 10;
const BATCHES_PER_QUEUE = 4;

/** One client: what it wants, what waits for it, and since when it has taken nothing. */
export class LiveClient {
  private readonly topics = new Set<LiveTopic>();
  private filter: LiveFilter = {};
  private readonly queue: LiveQueue;
  /** When the network last took something, or there was nothing for it to take; monotonic ms. */
  private movedMs: number;
  private sentBytes = 0;
  private takenBefore = 0;

  constructor(
    readonly sink: LiveSink,
    limits: QueueLimits,
    nowMs: number,
  ) {
    this.queue = new LiveQueue(limits);
    this.movedMs = nowMs;
  }

  /** Bytes that wait for this client, in the queue and in the connection. */
  get waitingBytes(): number {
    return this.queue.bytes + this.sink.unsentBytes;
  }

  /** The filter, if one is given, replaces the one before, and is for all topics. */
  subscribe(topics: readonly LiveTopic[], filter?: LiveFilter): void {
    for (const topic of topics) this.topics.add(topic);
    if (filter) this.filter = filter;
  }

  unsubscribe(topics: readonly LiveTopic[]): void {
    for (const topic of topics) this.topics.delete(topic);
  }

  get subscriptions(): { readonly topics: readonly LiveTopic[]; readonly filter: LiveFilter } {
    return { topics: [...this.topics], filter: this.filter };
  }

  wants(message: LiveMessage): boolean {
    return message.topic === null || (this.topics.has(message.topic) && passes(this.filter, message));
  }

  /** Bytes in the queue alone: what could be dropped. */
  get queuedBytes(): number {
    return this.queue.bytes;
  }

  /** As `LiveQueue.dropLast`. */
  giveWay(): number {
    return this.queue.dropLast();
  }

  /** As `LiveQueue.put`. */
  put(message: LiveMessage, isTight: boolean): boolean {
    return this.queue.put(message, isTight);
  }

  /** Hands one frame to the connection if that has taken most of the earlier ones. Returns the bytes of it, 0 for none. */
  flush(frames: LiveFrames): number {
    if (this.queue.messages === 0 || this.sink.unsentBytes >= UNSENT_BYTES_MAX) return 0;
    const count = Math.max(BATCH_MESSAGES_MIN, Math.ceil(this.queue.messages / BATCHES_PER_QUEUE));
    const messages = this.queue.take(count);
    const dropped = this.queue.takeDropped();
    if (dropped) messages.unshift(LiveMessage.control('dropped', { messages: dropped }));
    const frame = frames.frameOf(messages);
    this.sink.send(frame);
    this.sentBytes += frame.json.length;
    return frame.json.length;
  }

  /** Looks whether the network takes anything. Returns for how long it has taken nothing although something waits, ms. */
  stuckMs(nowMs: number): number {
    const unsent = this.sink.unsentBytes;
    // Frames are larger on the wire than here, and smaller when compressed: what counts is that the difference grows.
    const taken = this.sentBytes - unsent;
    if (taken > this.takenBefore || unsent === 0) this.movedMs = nowMs;
    this.takenBefore = taken;
    return nowMs - this.movedMs;
  }
}
