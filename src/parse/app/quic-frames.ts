import { CUT_VARINT, readVarint, varintBytes } from './quic-varint.js';
import type { StreamAssembly } from './stream-assembly.js';

/** Frames that an Initial packet may hold (RFC 9000 sections 12.4 and 19). */
const enum Frame {
  Padding = 0x00,
  Ping = 0x01,
  Ack = 0x02,
  /** With counts of marked packets. */
  AckEcn = 0x03,
  Crypto = 0x06,
}

/** Largest number, delay, count of ranges, first range; then a gap and a length for each range. */
const ACK_NUMBERS = 4;
const ACK_COUNT_INDEX = 2;
const ACK_ECN_NUMBERS = 3;
const NUMBERS_PER_RANGE = 2;

/** Offset behind `count` numbers, or -1 if one is cut; however large the count is, the bytes come to an end. */
function skipNumbers(view: DataView, offset: number, end: number, count: number): number {
  let at = offset;
  for (let index = 0; index < count; index++) {
    if (at >= end) return -1;
    at += varintBytes(view.getUint8(at));
  }
  return at <= end ? at : -1;
}

/** Offset behind an ACK frame whose type has been read, or -1. */
function skipAck(view: DataView, offset: number, end: number, type: number): number {
  const countAt = skipNumbers(view, offset, end, ACK_COUNT_INDEX);
  if (countAt < 0) return -1;
  const count = readVarint(view, countAt, end);
  if (count === CUT_VARINT) return -1;
  const rest = ACK_NUMBERS - ACK_COUNT_INDEX + count * NUMBERS_PER_RANGE;
  return skipNumbers(view, countAt, end, type === Frame.AckEcn ? rest + ACK_ECN_NUMBERS : rest);
}

/**
 * Reads the frames of an Initial packet from `offset` to `end` and puts what CRYPTO frames hold into `assembly`. A frame that is cut, or
 * that closes the connection, or that does not belong here ends it; what stood before it counts. Allocates nothing.
 */
export function readCryptoFrames(view: DataView, offset: number, end: number, assembly: StreamAssembly): void {
  let at = offset;
  while (at >= 0 && at < end) {
    const type = view.getUint8(at++);
    switch (type) {
      case Frame.Padding:
      case Frame.Ping:
        break;
      case Frame.Ack:
      case Frame.AckEcn:
        at = skipAck(view, at, end, type);
        break;
      case Frame.Crypto:
        at = readCrypto(view, at, end, assembly);
        break;
      default:
        return;
    }
  }
}

/** Offset and length in the stream, then so many bytes. Returns the offset behind them, or -1 if they are cut. */
function readCrypto(view: DataView, offset: number, end: number, assembly: StreamAssembly): number {
  const streamOffset = readVarint(view, offset, end);
  if (streamOffset === CUT_VARINT) return -1;
  const lengthAt = offset + varintBytes(view.getUint8(offset));
  const length = readVarint(view, lengthAt, end);
  if (length === CUT_VARINT) return -1;
  const data = lengthAt + varintBytes(view.getUint8(lengthAt));
  if (length > end - data) return -1;
  assembly.put(streamOffset, view, data, data + length);
  return data + length;
}
