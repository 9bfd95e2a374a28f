import { LiveClock } from '../live-clock.js';
import { Doorbell } from '../ring/doorbell.js';
import { createRing, ResumeAt, RingConsumer, RingProducer } from '../ring/ring.js';
import { createThreadBlock, monotonicMs, ThreadBlock } from '../ring/thread-block.js';
import { EtherType } from '../wire/ether-type.js';
import { IpProtocol } from '../wire/ip-protocol.js';
import { LinkType } from '../wire/link-type.js';
import { AfpacketRing, Block, Packet } from './afpacket-ring.js';
import { FrameWriter } from './frame-writer.js';
import { LiveTime } from './live-time.js';

const BLOCK_BYTES = 65_536;
const BLOCK_HEADER_BYTES = 48;
const PACKET_HEADER_BYTES = 112;
const RING_BYTES = 262_144;
/** None of the frames below has it. */
const OWN_PORT = 8417;
/** Enough for the compiler to have found out what is hot, and what kinds of frames there are. */
const ROUNDS = 1000;

/** Kinds of frames as a network has them: EtherType, protocol, ports, length, TCP flags. */
const FRAMES: readonly (readonly [
  etherType: number,
  protocol: number,
  src: number,
  dst: number,
  bytes: number,
  flags: number,
])[] = [
  [EtherType.Ipv4, IpProtocol.Tcp, 40_000, 443, 74, 0x02],
  [EtherType.Ipv4, IpProtocol.Tcp, 443, 40_000, 1514, 0x10],
  [EtherType.Ipv4, IpProtocol.Tcp, 40_000, 443, 583, 0x18],
  [EtherType.Ipv4, IpProtocol.Udp, 50_000, 53, 82, 0],
  [EtherType.Ipv4, IpProtocol.Udp, 50_001, 443, 1292, 0],
  [EtherType.Ipv4, IpProtocol.Icmp, 0, 0, 98, 0],
  [EtherType.Ipv6, IpProtocol.Tcp, 40_000, 443, 1514, 0x10],
  [EtherType.Ipv6, IpProtocol.Tcp, 443, 40_000, 86, 0x10],
  [EtherType.Ipv6, IpProtocol.Udp, 443, 50_001, 1292, 0],
  [EtherType.Arp, 0, 0, 0, 60, 0],
];

function writeFrame(view: DataView, at: number, [etherType, protocol, src, dst, bytes, flags]: (typeof FRAMES)[number]): void {
  view.setUint16(at + 12, etherType);
  const ip = at + 14;
  const isIpv6 = etherType === EtherType.Ipv6;
  view.setUint8(ip, isIpv6 ? 0x60 : 0x45);
  view.setUint16(ip + (isIpv6 ? 4 : 2), bytes - 14 - (isIpv6 ? 40 : 0));
  view.setUint8(ip + (isIpv6 ? 6 : 9), protocol);
  const transport = ip + (isIpv6 ? 40 : 20);
  view.setUint16(transport, src);
  view.setUint16(transport + 2, dst);
  if (protocol !== IpProtocol.Tcp) return;
  view.setUint8(transport + 12, 0x50);
  view.setUint8(transport + 13, flags);
}

/** One block of a receive ring as the kernel fills it, of all kinds of frames. */
function fillBlock(memory: ArrayBuffer, seconds: number): void {
  const view = new DataView(memory);
  const words = new Uint32Array(memory);
  const halfwords = new Uint16Array(memory);
  words[Block.PacketCountWord] = FRAMES.length;
  words[Block.FirstPacketWord] = BLOCK_HEADER_BYTES;
  let at = BLOCK_HEADER_BYTES;
  for (const frame of FRAMES) {
    const bytes = frame[4];
    const next = PACKET_HEADER_BYTES + ((bytes + 7) & -8);
    words.set([next, seconds, 0, bytes, bytes], at >> 2);
    halfwords[(at >> 1) + Packet.MacHalfword] = PACKET_HEADER_BYTES - 2;
    writeFrame(view, at + PACKET_HEADER_BYTES - 2, frame);
    at += next;
  }
}

/**
 * Takes some thousand frames of all kinds through the capture's hot path, in memory that nobody else sees. A daemon that starts under
 * load meets its first packets with code that is compiled: without it, the kernel's buffer ran over in the first tenths of a second
 * at 300,000 packets a second and more. Takes some 50 ms.
 */
export function warmUp(workerCount: number): void {
  const block = new ThreadBlock(createThreadBlock());
  const rings = Array.from({ length: workerCount }, () => createRing(RING_BYTES));
  const doorbell = new Doorbell(createThreadBlock());
  const nowMs = Date.now();
  const time = new LiveTime(new LiveClock(nowMs * 1000, monotonicMs()), () => undefined);
  time.refresh();
  const writer = new FrameWriter(
    rings.map((ring) => new RingProducer(ring, doorbell)),
    block,
    true,
    time,
  );
  writer.ownPort = OWN_PORT;
  const consumers = rings.map((ring) => new RingConsumer(ring, ResumeAt.Released));
  const memory = new ArrayBuffer(BLOCK_BYTES);
  const status = new Int32Array(memory);
  fillBlock(memory, Math.floor(nowMs / 1000));
  const frames = { interfaceIndex: 0, linkType: LinkType.Ethernet, isEthernet: true, snapBytes: BLOCK_BYTES - 1 };
  const ring = new AfpacketRing(memory, BLOCK_BYTES, frames);
  for (let round = 0; round < ROUNDS; round++) {
    status[Block.StatusWord] = Block.StatusUser;
    ring.walk(writer, 1);
    writer.flush();
    for (const consumer of consumers) {
      while (consumer.peek() >= 0) consumer.advance();
      consumer.release();
    }
  }
}
