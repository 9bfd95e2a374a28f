import { batchOf, type LiveMessage } from './live-message.js';

/** Different frames that are remembered; clients that keep up have the same messages waiting, so one is mostly enough. */
const FRAMES_MAX = 4;

/** Makes frames of messages, one for all clients that are to get the same ones. It is for one moment, and keeps nothing beyond it. */
export class LiveFrames {
  private readonly made: { readonly messages: readonly LiveMessage[]; readonly frame: Buffer }[] = [];

  /** One message as it is encoded, several as a batch. */
  frameOf(messages: readonly LiveMessage[]): Buffer {
    if (messages.length === 1) return (messages[0] as LiveMessage).json;
    const known = this.made.find((each) => isSame(each.messages, messages));
    if (known) return known.frame;
    const frame = batchOf(messages);
    if (this.made.length < FRAMES_MAX) this.made.push({ messages, frame });
    return frame;
  }
}

function isSame(a: readonly LiveMessage[], b: readonly LiveMessage[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}
