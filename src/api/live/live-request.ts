import { z } from 'zod';
import type { LiveClient } from './live-client.js';
import { liveFilterSchema } from './live-filter.js';
import { LIVE_TOPICS, LiveMessage, type LiveTopic } from './live-message.js';

/** Longest request of a client. */
export const REQUEST_BYTES_MAX = 4096;
/** Requests that one client may make within a second; one more ends the connection. */
export const REQUESTS_PER_SECOND_MAX = 20;

const topics = z.array(z.enum(LIVE_TOPICS)).min(1).max(LIVE_TOPICS.length);

/** What a client may ask for. */
const requestSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('subscribe'), topics, filter: liveFilterSchema.optional() }),
  z.strictObject({ type: z.literal('unsubscribe'), topics }),
]);

function parse(text: string): z.infer<typeof requestSchema> | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  return requestSchema.safeParse(value).data ?? null;
}

/**
 * Does what a client asks for, and gives the answer: what it is subscribed to now, or that it was not understood. `onSubscribed` is told
 * the topics that were asked for.
 */
export function answerRequest(
  client: LiveClient,
  text: string,
  onSubscribed: (topics: readonly LiveTopic[]) => void = () => undefined,
): LiveMessage {
  const request = parse(text);
  if (request === null)
    return LiveMessage.control('error', {
      detail: `A request is {"type":"subscribe","topics":[…],"filter":{…}} or {"type":"unsubscribe","topics":[…]}; topics: ${LIVE_TOPICS.join(', ')}.`,
    });
  if (request.type === 'subscribe') {
    client.subscribe(request.topics, request.filter);
    onSubscribed(request.topics);
  } else client.unsubscribe(request.topics);
  return LiveMessage.control('subscribed', client.subscriptions);
}
