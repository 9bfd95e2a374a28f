/** What can be subscribed to. */
export const LIVE_TOPICS = ['stats', 'flows', 'devices', 'alerts', 'health'] as const;
export type LiveTopic = (typeof LIVE_TOPICS)[number];

/** What goes first when a client has several kinds of messages waiting; the lower the earlier. */
export const enum Priority {
  /** What the stream says of itself. */
  Control = 0,
  Alert = 1,
  State = 2,
  Flow = 3,
  Count = 4,
}

const PRIORITIES: Readonly<Record<LiveTopic, Priority>> = {
  alerts: Priority.Alert,
  stats: Priority.State,
  health: Priority.State,
  devices: Priority.State,
  flows: Priority.Flow,
};

/** Topics of which the newest message says it all: where there is no room, the oldest gives way. Of the others, the newest does. */
const STATES: ReadonlySet<LiveTopic | null> = new Set<LiveTopic>(['stats', 'health']);

/** What filters look at: the members of a message. */
export type LiveFields = Readonly<Record<string, unknown>>;

/** A message that was encoded once, for all clients that get it. */
export class LiveMessage {
  readonly priority: Priority;
  readonly isState: boolean;
  /** JSON, UTF-8. */
  readonly json: Buffer;

  private constructor(
    /** Null: what the stream says of itself, whatever was subscribed to. */
    readonly topic: LiveTopic | null,
    readonly fields: LiveFields,
  ) {
    this.priority = topic === null ? Priority.Control : PRIORITIES[topic];
    this.isState = STATES.has(topic);
    this.json = Buffer.from(JSON.stringify(fields));
  }

  /** A message of a topic; `type` is the member that tells its kind. */
  static of(topic: LiveTopic, type: string, fields: LiveFields): LiveMessage {
    return new LiveMessage(topic, { type, ...fields });
  }

  static control(type: string, fields: LiveFields): LiveMessage {
    return new LiveMessage(null, { type, ...fields });
  }
}

const BATCH_START = Buffer.from('{"type":"batch","messages":[');
const COMMA = Buffer.from(',');
const BATCH_END = Buffer.from(']}');

/** One frame of several messages, made of what they are encoded as. */
export function batchOf(messages: readonly LiveMessage[]): Buffer {
  const parts: Buffer[] = [BATCH_START];
  for (const [index, message] of messages.entries()) {
    if (index > 0) parts.push(COMMA);
    parts.push(message.json);
  }
  parts.push(BATCH_END);
  return Buffer.concat(parts);
}
