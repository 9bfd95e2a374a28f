import { Decoder } from '../../src/parse/decode.js';
import { FragmentTable } from '../../src/parse/fragment-table.js';
import { DROP_REASONS } from '../../src/ring/drop-reason.js';
import { createThreadBlock, ThreadBlock } from '../../src/ring/thread-block.js';
import { TUNNEL_TYPES } from '../../src/ring/tunnel-type.js';
import { Packet } from '../../src/wire/packet.js';
import { viewOf } from './frame-bytes.js';

/** A packet with its drop reason and its tunnel by name. */
export type Decoded = Packet & { readonly drop: string; readonly tunnel: string };

export interface DecodeOptions {
  readonly linkType?: number;
  readonly wireBytes?: number;
  readonly decap?: boolean;
}

const OFFSET = 24;

/**
 * Decodes a frame that lies somewhere in a larger buffer, so that an offset that is forgotten shows. Without `decap` given, only the
 * outermost IP header is looked at.
 */
export function decoded(
  bytes: Uint8Array,
  { linkType = 1, wireBytes = bytes.length, decap = false }: DecodeOptions = {},
): Decoded {
  const around = new Uint8Array(bytes.length + 64).fill(0xee);
  around.set(bytes, OFFSET);
  const packet = new Packet();
  const decoder = new Decoder(decap, null);
  const drop = decoder.decode(viewOf(around), OFFSET, OFFSET + bytes.length, wireBytes, linkType, 0, packet);
  return Object.assign(packet, {
    drop: DROP_REASONS[drop as number] as string,
    tunnel: TUNNEL_TYPES[packet.tunnelType as number] as string,
  });
}

/** As `decoded`, innermost IP header. */
export function decapsulated(bytes: Uint8Array, options: Omit<DecodeOptions, 'decap'> = {}): Decoded {
  return decoded(bytes, { ...options, decap: true });
}

/** A decoder with a fragment table, and the cells in which that counts. */
export function fragmentDecoder(decap = true): { decoder: Decoder; cells: Float64Array } {
  const { cells } = new ThreadBlock(createThreadBlock());
  return { decoder: new Decoder(decap, new FragmentTable(12_345, cells, false)), cells };
}
