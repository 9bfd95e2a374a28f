import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { Frame } from '../ring/layout.js';

/** What the file may hold; behind that nothing is kept until somebody has moved it away. */
export const QUARANTINE_PACKETS_MAX = 64;
export const QUARANTINE_BYTES_MAX = 2 ** 20;

/** pcap with timestamps in ns, little-endian (draft-ietf-opsawg-pcap, section 4). */
const MAGIC = 0xa1b23c4d;
const VERSION_MAJOR = 2;
const VERSION_MINOR = 4;
const SNAP_BYTES = 262_144;
const FILE_HEADER_BYTES = 24;
const LINK_TYPE_OFFSET = 20;
const PACKET_HEADER_BYTES = 16;
const PACKET_LENGTH_OFFSET = 8;
/** Whoever may read the database need not be allowed to see what is in packets. */
const FILE_MODE = 0o600;
/** Never through a symbolic link that somebody has put in its place. */
const FILE_FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;

/** The file that goes with a database. */
export function quarantinePath(databasePath: string): string {
  return `${databasePath}.quarantine.pcap`;
}

/**
 * Adds the frame record at byte `payload` of a ring to the capture file `path`, and gives the number of packets that it then holds.
 * Only what lies in the ring is kept, which is what the worker saw. Throws an `Error` that says why the frame could not be kept: the
 * file is full or of another link type, or what the system says.
 */
export function quarantine(path: string, ring: SharedArrayBuffer, payload: number): number {
  const words = new Int32Array(ring, payload, Frame.HeaderBytes / 4);
  const linkType = words[Frame.LinkType] as number;
  const packet = packetOf(words, ring, payload);
  const fd = openSync(path, FILE_FLAGS, FILE_MODE);
  try {
    const { size } = fstatSync(fd);
    const packets = size === 0 ? 0 : countPackets(fd, size, linkType);
    if (packets >= QUARANTINE_PACKETS_MAX || size + packet.length > QUARANTINE_BYTES_MAX)
      throw new Error(`it is full with ${packets} packets; move it away to keep more`);
    writeSync(fd, size === 0 ? Buffer.concat([fileHeader(linkType), packet]) : packet);
    return packets + 1;
  } finally {
    closeSync(fd);
  }
}

function packetOf(words: Int32Array, ring: SharedArrayBuffer, payload: number): Buffer {
  const bytes = words[Frame.CopiedBytes] as number;
  const packet = Buffer.alloc(PACKET_HEADER_BYTES + bytes);
  packet.writeUInt32LE((words[Frame.Seconds] as number) >>> 0, 0);
  packet.writeUInt32LE(words[Frame.Nanoseconds] as number, 4);
  packet.writeUInt32LE(bytes, PACKET_LENGTH_OFFSET);
  packet.writeUInt32LE((words[Frame.WireBytes] as number) >>> 0, 12);
  packet.set(new Uint8Array(ring, payload + Frame.HeaderBytes, bytes), PACKET_HEADER_BYTES);
  return packet;
}

function fileHeader(linkType: number): Buffer {
  const header = Buffer.alloc(FILE_HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt16LE(VERSION_MAJOR, 4);
  header.writeUInt16LE(VERSION_MINOR, 6);
  header.writeUInt32LE(SNAP_BYTES, 16);
  header.writeUInt32LE(linkType, LINK_TYPE_OFFSET);
  return header;
}

/** Walks the file from packet to packet; it is at most `QUARANTINE_BYTES_MAX` long, or full anyway. */
function countPackets(fd: number, size: number, linkType: number): number {
  const header = Buffer.alloc(FILE_HEADER_BYTES);
  readSync(fd, header, 0, FILE_HEADER_BYTES, 0);
  if (header.readUInt32LE(0) !== MAGIC) throw new Error('it is no quarantine of flowberry');
  if (header.readUInt32LE(LINK_TYPE_OFFSET) !== linkType) throw new Error('it holds packets of another link type');
  let packets = 0;
  for (let at = FILE_HEADER_BYTES; at < size && packets < QUARANTINE_PACKETS_MAX; packets++) {
    readSync(fd, header, 0, PACKET_HEADER_BYTES, at);
    at += PACKET_HEADER_BYTES + header.readUInt32LE(PACKET_LENGTH_OFFSET);
  }
  return packets;
}
