import { describe, expect, it } from 'vitest';
import { AfpacketRing } from '../../src/capture/afpacket-ring.js';
import { RecordingSink } from '../helpers/recording-sink.js';

const BLOCK_BYTES = 4096;
const BLOCKS = 3;
const HEADER_BYTES = 104;
const STATUS_VLAN = 0x10;
const STATUS_VLAN_TPID = 0x40;

interface Packet {
  readonly bytes: Uint8Array;
  readonly wireBytes?: number;
  readonly status?: number;
  readonly vlanTci?: number;
  readonly vlanTpid?: number;
}

/** Fills blocks as linux/if_packet.h lays them out for TPACKET_V3. */
class KernelSide {
  readonly memory = new ArrayBuffer(BLOCK_BYTES * BLOCKS);
  private readonly words = new Uint32Array(this.memory);
  private readonly halfwords = new Uint16Array(this.memory);

  fill(block: number, packets: readonly Packet[]): void {
    const base = block * BLOCK_BYTES;
    let at = base + 48;
    this.words[(base + 12) / 4] = packets.length;
    this.words[(base + 16) / 4] = 48;
    for (const [index, packet] of packets.entries()) {
      const next = HEADER_BYTES + Math.ceil(packet.bytes.length / 8) * 8;
      const header = [index === packets.length - 1 ? 0 : next, 1_700_000_000 + index, 999_999_999, packet.bytes.length];
      this.words.set([...header, packet.wireBytes ?? packet.bytes.length, packet.status ?? 0], at / 4);
      this.halfwords[(at + 24) / 2] = HEADER_BYTES - 2;
      this.words[(at + 32) / 4] = packet.vlanTci ?? 0;
      this.halfwords[(at + 36) / 2] = packet.vlanTpid ?? 0;
      new Uint8Array(this.memory).set(packet.bytes, at + HEADER_BYTES - 2);
      at += next;
    }
    this.words[(base + 8) / 4] = 1;
  }

  isOurs(block: number): boolean {
    return this.words[(block * BLOCK_BYTES + 8) / 4] === 1;
  }
}

const bytesOf = (count: number, first = 0): Uint8Array =>
  Uint8Array.from({ length: count }, (_, index) => (first + index) & 0xff);

function ringOf(kernel: KernelSide, options: { isEthernet?: boolean; snapBytes?: number } = {}): AfpacketRing {
  return new AfpacketRing(kernel.memory, BLOCK_BYTES, {
    interfaceIndex: 5,
    linkType: 1,
    isEthernet: options.isEthernet ?? true,
    snapBytes: options.snapBytes ?? 65_535,
  });
}

describe('AfpacketRing', () => {
  it('hands over the packets of ready blocks in turn, and gives the blocks back', () => {
    const kernel = new KernelSide();
    const ring = ringOf(kernel);
    const sink = new RecordingSink();
    expect(ring.walk(sink, 4)).toBe(0);
    let sent = 0;
    for (let block = 0; block < 10; block++) {
      const packets = Array.from({ length: 1 + (block % 3) }, () => ({ bytes: bytesOf(60 + sent * 7, sent++) }));
      kernel.fill(block % BLOCKS, packets);
      expect(ring.isReady(0)).toBe(true);
      expect(ring.isReady(1)).toBe(false);
      expect(ring.walk(sink, 4)).toBe(1);
      expect(kernel.isOurs(block % BLOCKS)).toBe(false);
    }
    expect(sink.frames.map(({ bytes }) => bytes)).toEqual(
      Array.from({ length: sent }, (_, index) => bytesOf(60 + index * 7, index)),
    );
    expect(sink.frames[0]).toMatchObject({
      timestamp: 1_700_000_000_999_999_999n,
      interfaceIndex: 5,
      linkType: 1,
      wireBytes: 60,
    });
  });

  it('takes no more blocks than it is asked to, and stops at one that is not ready', () => {
    const kernel = new KernelSide();
    const ring = ringOf(kernel);
    const sink = new RecordingSink();
    for (const block of [0, 1, 2]) kernel.fill(block, [{ bytes: bytesOf(60, block) }]);
    expect(ring.walk(sink, 2)).toBe(2);
    expect(kernel.isOurs(2)).toBe(true);
    kernel.fill(1, [{ bytes: bytesOf(60) }]);
    expect(ring.walk(sink, 4)).toBe(1);
    expect(kernel.isOurs(1)).toBe(true);
  });

  it('puts the VLAN tag back behind the addresses, with 0x8100 when the kernel names no TPID', () => {
    const kernel = new KernelSide();
    const sink = new RecordingSink();
    const status = STATUS_VLAN | STATUS_VLAN_TPID;
    kernel.fill(0, [
      { bytes: bytesOf(64), status, vlanTci: 0xa007, vlanTpid: 0x88a8 },
      { bytes: bytesOf(64), status: STATUS_VLAN, vlanTci: 1 },
      { bytes: bytesOf(64), wireBytes: 1500, status, vlanTci: 4095, vlanTpid: 0x9100 },
    ]);
    ringOf(kernel).walk(sink, 1);
    const tagged = (...tag: number[]) => Uint8Array.from([...bytesOf(12), ...tag, ...bytesOf(52, 12)]);
    expect(sink.frames.map(({ bytes }) => bytes)).toEqual([
      tagged(0x88, 0xa8, 0xa0, 0x07),
      tagged(0x81, 0x00, 0x00, 0x01),
      tagged(0x91, 0x00, 0x0f, 0xff),
    ]);
    expect(sink.frames.map(({ wireBytes }) => wireBytes)).toEqual([68, 68, 1504]);
  });

  it('leaves frames without an Ethernet header, or without whole addresses, as they are', () => {
    const kernel = new KernelSide();
    const sink = new RecordingSink();
    kernel.fill(0, [{ bytes: bytesOf(40), status: STATUS_VLAN, vlanTci: 7 }]);
    kernel.fill(1, [{ bytes: bytesOf(11), status: STATUS_VLAN, vlanTci: 7 }]);
    ringOf(kernel, { isEthernet: false }).walk(sink, 1);
    const second = ringOf(kernel);
    second.walk(sink, 1);
    kernel.fill(0, []);
    second.walk(sink, 2);
    expect(sink.frames.map(({ bytes }) => bytes)).toEqual([bytesOf(40), bytesOf(11)]);
  });

  it('cuts at the snap length, tag included', () => {
    const kernel = new KernelSide();
    const sink = new RecordingSink();
    kernel.fill(0, [{ bytes: bytesOf(128), wireBytes: 1000, status: STATUS_VLAN, vlanTci: 7 }, { bytes: bytesOf(100) }]);
    ringOf(kernel, { snapBytes: 128 }).walk(sink, 1);
    expect(sink.frames.map(({ bytes, wireBytes }) => [bytes.length, wireBytes])).toEqual([
      [128, 1004],
      [100, 100],
    ]);
  });

  it('takes a frame that would run beyond its block for a defect', () => {
    const kernel = new KernelSide();
    kernel.fill(0, [{ bytes: bytesOf(60) }]);
    new Uint32Array(kernel.memory)[(48 + 12) / 4] = BLOCK_BYTES;
    expect(() => ringOf(kernel).walk(new RecordingSink(), 1)).toThrow('runs beyond its block');
  });
});
