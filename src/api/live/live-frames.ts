import { constants, deflateRawSync } from 'node:zlib';
import { batchOf, type LiveMessage } from './live-message.js';

/** Different frames that are remembered; clients that keep up have the same messages waiting, so one is mostly enough. */
const FRAMES_MAX = 4;

/** Shorter ones are sent as they are. */
const COMPRESSED_BYTES_MIN = 1025;
/** Window of 8 KiB, as base-two logarithm: what clients of the live stream are told. */
export const WINDOW_BITS = 13;
/** A low level: a Raspberry Pi has better things to do. */
const DEFLATE = { level: 3, windowBits: WINDOW_BITS, memLevel: 6, finishFlush: constants.Z_SYNC_FLUSH } as const;
/** 00 00 FF FF, which the receiver puts back (RFC 7692 section 7.2.1). */
const FLUSH_BYTES = 4;

/** What a client gets at once: one message as it is encoded, several as a batch. */
export class LiveFrame {
  private deflated: Buffer | null = null;

  /** `json` is UTF-8. One that `isShared` is worth compressing. */
  constructor(
    readonly json: Buffer,
    private readonly isShared: boolean,
  ) {}

  /**
   * The frame by permessage-deflate, each for itself (RFC 7692 section 7.2.1): compressed at the first call, for all clients. Null for
   * one that is sent as it is.
   */
  get compressed(): Buffer | null {
    if (!this.isShared || this.json.length < COMPRESSED_BYTES_MIN) return null;
    this.deflated ??= deflateRawSync(this.json, DEFLATE).subarray(0, -FLUSH_BYTES);
    return this.deflated;
  }
}

/**
 * Makes frames of messages, one for all clients that are to get the same ones. It is for one moment, and keeps nothing beyond it. Beyond
 * four different ones frames are not compressed, so that many clients that lag behind do not hold up all others.
 */
export class LiveFrames {
  private readonly made: { readonly messages: readonly LiveMessage[]; readonly frame: LiveFrame }[] = [];

  /** One message as it is encoded, several as a batch. */
  frameOf(messages: readonly LiveMessage[]): LiveFrame {
    const known = this.made.find((each) => isSame(each.messages, messages));
    if (known) return known.frame;
    const isShared = this.made.length < FRAMES_MAX;
    const json = messages.length === 1 ? (messages[0] as LiveMessage).json : batchOf(messages);
    const frame = new LiveFrame(json, isShared);
    if (isShared) this.made.push({ messages, frame });
    return frame;
  }
}

function isSame(a: readonly LiveMessage[], b: readonly LiveMessage[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}
