import type { FuzzFrame } from './conversations.js';

/** Words of the shared memory; the frame's bytes follow. */
const enum Word {
  Number = 0,
  LinkType = 1,
  WireBytes = 2,
  Bytes = 3,
  Count = 4,
}

const FRAME_BYTES_MAX = 262_144;

/** The packet that a thread has in hand, in shared memory: a thread that hangs cannot tell itself. */
export class Watch {
  private readonly words: Int32Array;
  private readonly bytes: Uint8Array;

  constructor(memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory, 0, Word.Count);
    this.bytes = new Uint8Array(memory, Word.Count * 4);
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(Word.Count * 4 + FRAME_BYTES_MAX);
  }

  /** Number of the packet. */
  get number(): number {
    return Atomics.load(this.words, Word.Number);
  }

  /** The packet; whole only while the thread does not go on. */
  get frame(): FuzzFrame {
    const [, linkType = 0, wireBytes = 0, count = 0] = this.words;
    return { bytes: this.bytes.slice(0, count), linkType, wireBytes: wireBytes >>> 0 };
  }

  set(number: number, { bytes, linkType, wireBytes }: FuzzFrame): void {
    this.bytes.set(bytes);
    this.words[Word.LinkType] = linkType;
    this.words[Word.WireBytes] = wireBytes;
    this.words[Word.Bytes] = bytes.length;
    Atomics.store(this.words, Word.Number, number);
  }
}
