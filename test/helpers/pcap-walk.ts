/** One packet of a pcap file, as far as a test of generated captures looks. */
export interface WalkedPacket {
  /** µs since 1970. */
  readonly timeUs: number;
  readonly frame: Buffer;
  readonly wireBytes: number;
  readonly ipVersion: number;
  readonly protocol: number;
  /** Length that the IP header says. */
  readonly ipBytes: number;
  /** Offset of the IP header and of what it carries. */
  readonly ipOffset: number;
  readonly transportOffset: number;
  /** Both ends and the protocol, the same for both directions. */
  readonly tuple: string;
  /** The sender's address and port. */
  readonly from: string;
}

const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const IP_OFFSET = 14;

/** Walks a little-endian pcap file of Ethernet frames that hold IP. It shares no code with the reader of flowberry. */
export function* walkPcap(file: Buffer): Generator<WalkedPacket> {
  for (let offset = FILE_HEADER_BYTES; offset < file.length; ) {
    const timeUs = file.readUInt32LE(offset) * 1e6 + file.readUInt32LE(offset + 4);
    const capturedBytes = file.readUInt32LE(offset + 8);
    const wireBytes = file.readUInt32LE(offset + 12);
    const start = offset + RECORD_HEADER_BYTES;
    offset = start + capturedBytes;
    const frame = file.subarray(start, offset);
    const isIpv6 = frame.readUInt16BE(12) === 0x86dd;
    const transportOffset = IP_OFFSET + (isIpv6 ? 40 : 20);
    const protocol = frame[IP_OFFSET + (isIpv6 ? 6 : 9)] as number;
    const hasPorts = protocol === 6 || protocol === 17;
    const end = (address: number, port: number): string => {
      const bytes = frame.subarray(IP_OFFSET + address, IP_OFFSET + address + (isIpv6 ? 16 : 4));
      return `${bytes.toString('hex')} ${hasPorts ? frame.readUInt16BE(transportOffset + port) : 0}`;
    };
    const from = end(isIpv6 ? 8 : 12, 0);
    const to = end(isIpv6 ? 24 : 16, 2);
    yield {
      timeUs,
      frame,
      wireBytes,
      ipVersion: isIpv6 ? 6 : 4,
      protocol,
      ipBytes: isIpv6 ? 40 + frame.readUInt16BE(IP_OFFSET + 4) : frame.readUInt16BE(IP_OFFSET + 2),
      ipOffset: IP_OFFSET,
      transportOffset,
      tuple: `${protocol} ${[from, to].sort().join(' ')}`,
      from,
    };
  }
}

/** One's complement sum of everything given; 0xffff when the checksum among it is right (RFC 1071). */
export function checksumSum(...parts: Uint8Array[]): number {
  let sum = 0;
  for (const part of parts)
    for (let index = 0; index < part.length; index += 2)
      sum += ((part[index] as number) << 8) | (index + 1 < part.length ? (part[index + 1] as number) : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

/** Sum of what a packet's transport checksum covers, pseudo header included. */
export function transportSum({ frame, ipVersion, protocol, ipBytes, ipOffset, transportOffset }: WalkedPacket): number {
  const transport = frame.subarray(transportOffset, ipOffset + ipBytes);
  if (protocol === 1) return checksumSum(transport);
  const addresses = frame.subarray(ipOffset + (ipVersion === 6 ? 8 : 12), transportOffset);
  return checksumSum(addresses, Uint8Array.of(0, protocol, transport.length >> 8, transport.length & 0xff), transport);
}
