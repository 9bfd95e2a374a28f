import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, truncateSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FLOWS_MAX } from '../../bench/generate/flow-mix.js';
import { type CaptureParameters, type CaptureTruth, generatePackets, parametersProblem } from '../../bench/generate/packets.js';
import { generateCapture } from '../../bench/generate.js';
import { checksumSum, transportSum, type WalkedPacket, walkPcap } from '../helpers/pcap-walk.js';
import { temporaryDirectory } from '../helpers/read-capture.js';

const SMALL: CaptureParameters = { packets: 20_000, flows: 2_000, seed: 1 };
/** Changes only together with `GENERATOR_VERSION`. */
const SMALL_SHA256 = '14d1d276bdc06ca6eeec59d5b67a5f8f4535c0a5fba245a9c283dd78dcf0ae2b';

const [TCP, UDP, ICMP, ICMPV6] = [6, 17, 1, 58];
const [FIN, SYN, RST, ACK] = [1, 2, 4, 16];

function generate(parameters: CaptureParameters): { file: Buffer; truth: CaptureTruth } {
  const pieces: Buffer[] = [];
  const truth = generatePackets(parameters, (piece) => pieces.push(Buffer.from(piece)));
  return { file: Buffer.concat(pieces), truth };
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

function byTuple(packets: Iterable<WalkedPacket>): Map<string, WalkedPacket[]> {
  const flows = new Map<string, WalkedPacket[]>();
  for (const packet of packets) flows.set(packet.tuple, [...(flows.get(packet.tuple) ?? []), packet]);
  return flows;
}

const { file, truth } = generate(SMALL);
const packets = [...walkPcap(file)];
const flows = byTuple(packets);

describe('generated capture', () => {
  it('has the same bytes for the same parameters, on every machine', () => {
    expect(sha256(file)).toBe(SMALL_SHA256);
    expect(sha256(generate(SMALL).file)).toBe(SMALL_SHA256);
    expect(sha256(generate({ ...SMALL, seed: 2 }).file)).not.toBe(SMALL_SHA256);
  });

  it('tells the truth about itself', () => {
    expect(truth).toEqual({
      packets: packets.length,
      flows: flows.size,
      ipBytes: packets.reduce((sum, { ipBytes }) => sum + ipBytes, 0),
      wireBytes: packets.reduce((sum, { wireBytes }) => sum + wireBytes, 0),
      fileBytes: file.length,
    });
    expect(truth.packets).toBe(SMALL.packets);
    expect(truth.flows).toBe(SMALL.flows);
  });

  it.each([
    { packets: 1, flows: 1 },
    { packets: 2, flows: 1 },
    { packets: 1_000, flows: 1 },
    { packets: 1_000, flows: 1_000 },
    { packets: 5_000, flows: 3 },
    { packets: 10_000, flows: 9_000 },
  ])('has $packets packets in $flows flows when asked for', ({ packets, flows }) => {
    const { file, truth } = generate({ packets, flows, seed: 7 });
    const walked = [...walkPcap(file)];
    expect([truth.packets, truth.flows]).toEqual([packets, flows]);
    expect([walked.length, byTuple(walked).size]).toEqual([packets, flows]);
  });

  it('has right checksums in every packet', () => {
    const wrong = packets.filter((packet) => {
      const { ipVersion, frame, ipOffset, transportOffset } = packet;
      const isHeaderRight = ipVersion === 6 || checksumSum(frame.subarray(ipOffset, transportOffset)) === 0xffff;
      return !isHeaderRight || transportSum(packet) !== 0xffff;
    });
    expect(wrong).toEqual([]);
  });

  it('has times that only grow', () => {
    expect(packets.filter(({ timeUs }, index) => index > 0 && timeUs <= (packets[index - 1] as WalkedPacket).timeUs)).toEqual([]);
  });

  it('mixes protocols, IP versions and sizes as real traffic does', () => {
    const share = (isMeant: (packet: WalkedPacket) => boolean): number => packets.filter(isMeant).length / packets.length;
    for (const protocol of [TCP, UDP, ICMP, ICMPV6]) expect(share((packet) => packet.protocol === protocol)).toBeGreaterThan(0);
    const flowsOfIpv6 = [...flows.values()].filter(([first]) => first?.ipVersion === 6).length / flows.size;
    expect(flowsOfIpv6).toBeGreaterThan(0.2);
    expect(flowsOfIpv6).toBeLessThan(0.3);
    const small = share(({ wireBytes }) => wireBytes <= 90);
    expect(small).toBeGreaterThan(0.4);
    expect(small).toBeLessThan(0.6);
    const full = share(({ wireBytes }) => wireBytes === 1514);
    expect(full).toBeGreaterThan(0.25);
    expect(full).toBeLessThan(0.4);
    const mean = truth.wireBytes / truth.packets;
    expect(mean).toBeGreaterThan(500);
    expect(mean).toBeLessThan(700);
    expect(Math.min(...packets.map(({ wireBytes }) => wireBytes))).toBe(60);
  });

  it('has TCP flows with handshake, growing sequence numbers and an end', () => {
    const whole = [...flows.values()].filter((flow) => flow[0]?.protocol === TCP && flow.length >= 7);
    expect(whole.length).toBeGreaterThan(100);
    for (const flow of whole) {
      const flags = flow.map(({ frame, transportOffset }) => frame[transportOffset + 13] as number);
      expect(flags.slice(0, 3)).toEqual([SYN, SYN | ACK, ACK]);
      const isReset = ((flags.at(-1) as number) & RST) !== 0;
      if (!isReset) expect(flags.slice(-3)).toEqual([FIN | ACK, FIN | ACK, ACK]);
      expect(gapsInSequence(flow)).toBe(0);
    }
  });

  it('has flows that overlap in time, and few flows with many of the packets', () => {
    const middle = (packets[packets.length / 2] as WalkedPacket).timeUs;
    const open = [...flows.values()].filter((flow) => (flow[0]?.timeUs ?? 0) < middle && (flow.at(-1)?.timeUs ?? 0) > middle);
    expect(open.length).toBeGreaterThan(500);
    const lengths = [...flows.values()].map(({ length }) => length).sort((a, b) => b - a);
    const longest = lengths.slice(0, lengths.length / 10).reduce((sum, length) => sum + length, 0);
    expect(longest / packets.length).toBeGreaterThan(0.35);
  });
});

/** How often a TCP segment does not begin where the sender's last one ended. */
function gapsInSequence(flow: readonly WalkedPacket[]): number {
  const nextBySender = new Map<string, number>();
  let gaps = 0;
  for (const { frame, from, ipBytes, ipOffset, transportOffset } of flow) {
    const sequence = frame.readUInt32BE(transportOffset + 4);
    const flags = frame[transportOffset + 13] as number;
    const headerBytes = ((frame[transportOffset + 12] as number) >> 4) * 4;
    const payloadBytes = ipOffset + ipBytes - transportOffset - headerBytes;
    if ((nextBySender.get(from) ?? sequence) !== sequence) gaps++;
    nextBySender.set(from, (sequence + payloadBytes + ((flags & (SYN | FIN)) === 0 ? 0 : 1)) >>> 0);
  }
  return gaps;
}

describe('generated capture file', () => {
  it('is what was generated, and is used again', () => {
    const directory = temporaryDirectory();
    const first = generateCapture(SMALL, directory);
    expect(first.sha256).toBe(SMALL_SHA256);
    expect(sha256(readFileSync(first.path))).toBe(SMALL_SHA256);
    utimesSync(first.path, 1000, 1000);
    expect(generateCapture(SMALL, directory)).toEqual(first);
    expect(statSync(first.path).mtimeMs).toBe(1_000_000);
    expect(readdirSync(directory)).toHaveLength(2);
  });

  it('is generated again when it is not complete', () => {
    const directory = temporaryDirectory();
    const { path } = generateCapture(SMALL, directory);
    truncateSync(path, 1000);
    generateCapture(SMALL, directory);
    expect(statSync(path).size).toBe(truth.fileBytes);
  });

  it('is refused by name where it cannot be written', () => {
    const directory = join(temporaryDirectory(), 'missing');
    expect(() => generateCapture(SMALL, directory)).toThrow(expect.objectContaining({ code: 'BENCH_FILE_NOT_WRITABLE' }));
    expect(existsSync(directory)).toBe(false);
  });
});

describe('parameters of a generated capture', () => {
  it.each([
    [{ packets: 0, flows: 1, seed: 1 }, 'packets'],
    [{ packets: 1.5, flows: 1, seed: 1 }, 'packets'],
    [{ packets: 10, flows: 0, seed: 1 }, 'flows'],
    [{ packets: 10, flows: 11, seed: 1 }, 'more flows than packets'],
    [{ packets: FLOWS_MAX + 1, flows: FLOWS_MAX + 1, seed: 1 }, 'flows'],
    [{ packets: 10, flows: 1, seed: -1 }, 'seed'],
  ])('%j are refused', (parameters, reason) => {
    expect(parametersProblem(parameters)).toContain(reason);
  });

  it('within their ranges are accepted', () => {
    expect(parametersProblem(SMALL)).toBeNull();
    expect(parametersProblem({ packets: 1, flows: 1, seed: 2 ** 32 - 1 })).toBeNull();
  });
});
