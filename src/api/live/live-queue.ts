import { type LiveMessage, type LiveTopic, Priority } from './live-message.js';

/** What one client may have waiting; beyond either, messages are dropped and counted. */
export interface QueueLimits {
  readonly messagesMax: number;
  readonly bytesMax: number;
}

/** What waits for one client, in the order in which it is to be sent. */
export class LiveQueue {
  messages = 0;
  bytes = 0;
  private readonly waiting: LiveMessage[][] = Array.from({ length: Priority.Count }, () => []);
  /** Messages that were dropped and of which the client does not know yet, by topic. */
  private readonly dropped = new Map<LiveTopic, number>();

  constructor(private readonly limits: QueueLimits) {}

  /**
   * Puts a message behind those of its priority. Without room in the queue, or where `isTight` says that all clients together have
   * no room, the oldest message of the same state gives way, or the message itself is dropped; what the stream says of itself comes
   * in always, and is short. Returns whether the message is in the queue.
   */
  put(message: LiveMessage, isTight: boolean): boolean {
    if (message.topic !== null && !this.hasRoom(message.json.length, isTight)) {
      const isReplaced = message.isState && this.dropOldest(message.topic);
      if (!isReplaced) {
        this.countDropped(message.topic);
        return false;
      }
    }
    (this.waiting[message.priority] as LiveMessage[]).push(message);
    this.messages++;
    this.bytes += message.json.length;
    return true;
  }

  /** Takes at most `count` messages, the most urgent first. */
  take(count: number): LiveMessage[] {
    const taken: LiveMessage[] = [];
    for (const queue of this.waiting) {
      if (taken.length === count) break;
      taken.push(...queue.splice(0, count - taken.length));
    }
    this.messages -= taken.length;
    for (const message of taken) this.bytes -= message.json.length;
    return taken;
  }

  /** Drops the newest of the least urgent messages. Returns its bytes; 0: there is none but what the stream says of itself. */
  dropLast(): number {
    for (const queue of this.waiting.toReversed()) {
      const last = queue.at(-1);
      if (last === undefined) continue;
      if (last.topic === null) return 0;
      queue.pop();
      this.messages--;
      this.bytes -= last.json.length;
      this.countDropped(last.topic);
      return last.json.length;
    }
    return 0;
  }

  /** What was dropped since this was last asked, by topic; null for nothing. */
  takeDropped(): Record<string, number> | null {
    if (this.dropped.size === 0) return null;
    const counts = Object.fromEntries(this.dropped);
    this.dropped.clear();
    return counts;
  }

  private hasRoom(bytes: number, isTight: boolean): boolean {
    return !isTight && this.messages < this.limits.messagesMax && this.bytes + bytes <= this.limits.bytesMax;
  }

  private dropOldest(topic: LiveTopic): boolean {
    for (const queue of this.waiting) {
      const index = queue.findIndex((message) => message.topic === topic);
      if (index < 0) continue;
      const [oldest] = queue.splice(index, 1) as [LiveMessage];
      this.messages--;
      this.bytes -= oldest.json.length;
      this.countDropped(topic);
      return true;
    }
    return false;
  }

  private countDropped(topic: LiveTopic): void {
    this.dropped.set(topic, (this.dropped.get(topic) ?? 0) + 1);
  }
}
