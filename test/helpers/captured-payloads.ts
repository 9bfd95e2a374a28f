import { readFileSync } from 'node:fs';
import { Decoder } from '../../src/parse/decode.js';
import { Drop } from '../../src/ring/drop-reason.js';
import { Packet } from '../../src/wire/packet.js';
import { capturePath } from './captures.js';
import { viewOf } from './frame-bytes.js';
import { readCapture } from './read-capture.js';

/** What a captured packet carries above TCP or UDP. */
export interface CapturedPayload {
  /** From 1, as tshark counts. */
  readonly frame: number;
  readonly protocol: number;
  readonly srcPort: number;
  readonly dstPort: number;
  /** The same number for all packets from this sender to this receiver. */
  readonly flow: number;
  readonly tcpSeq: number;
  readonly us: number;
  readonly bytes: Uint8Array;
}

/** The payloads of a capture, innermost headers, in order; packets without one are left out. */
export async function capturedPayloads(name: string): Promise<CapturedPayload[]> {
  const { frames } = await readCapture([capturePath(name)]);
  const decoder = new Decoder(true, null);
  const packet = new Packet();
  const flows = new Map<string, number>();
  const payloads: CapturedPayload[] = [];
  frames.forEach(({ hex, wireBytes, linkType, timestamp }, index) => {
    const frame = Uint8Array.from(Buffer.from(hex, 'hex'));
    const drop = decoder.decode(viewOf(frame), 0, frame.length, wireBytes, linkType, 0, packet);
    const start = packet.transportOffset + packet.transportBytes - packet.payloadBytes;
    if (drop !== Drop.None || packet.payloadBytes === 0 || start >= packet.transportEnd) return;
    const { protocol, srcPort, dstPort, src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = packet;
    const key = [protocol, srcPort, dstPort, src0, src1, src2, src3, dst0, dst1, dst2, dst3].join();
    const flow = flows.get(key) ?? flows.size;
    flows.set(key, flow);
    const us = Number(timestamp / 1000n);
    const bytes = frame.slice(start, packet.transportEnd);
    payloads.push({ frame: index + 1, protocol, srcPort, dstPort, flow, tcpSeq: packet.tcpSeq, us, bytes });
  });
  return payloads;
}

/** A server name that tshark shows, with the frame in which it is complete. */
export interface ExpectedName {
  readonly frame: number;
  readonly isQuic: boolean;
  readonly name: string;
}

export function expectedServerNames(capture: string): ExpectedName[] {
  const [, ...lines] = readFileSync(capturePath(`expected/${capture}.sni.csv`), 'utf8')
    .trim()
    .split(/\r?\n/);
  return lines.map((line) => {
    const columns = line.split(',');
    return { frame: Number(columns[0]), isQuic: columns[4] !== '', name: columns[9] as string };
  });
}
