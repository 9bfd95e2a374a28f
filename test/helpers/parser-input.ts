/** Bytes as a parser meets them. */
export interface Placed {
  readonly view: DataView;
  readonly offset: number;
  readonly end: number;
}

const OFFSET = 24;

/** `bytes` in the middle of shared memory, under a view that does not start where the memory does: a forgotten offset shows. */
export function placed(bytes: Uint8Array): Placed {
  const memory = new Uint8Array(new SharedArrayBuffer(bytes.length + 3 * OFFSET)).fill(0xee);
  memory.set(bytes, 2 * OFFSET);
  return { view: new DataView(memory.buffer, OFFSET), offset: OFFSET, end: OFFSET + bytes.length };
}

/** `bytes` under a view that holds nothing else: to read beyond them throws. */
export function alone(bytes: Uint8Array): Placed {
  return { view: new DataView(Uint8Array.from(bytes).buffer), offset: 0, end: bytes.length };
}
