import { hash } from 'node:crypto';
import { IpProtocol } from '../wire/ip-protocol.js';
import { addressBytes } from './address-bytes.js';

/** A flow as Community ID sees it; for ICMP and ICMPv6 the ports are type and code of the first packet, which `src` sent. */
export interface CommunityFlow {
  /** IP protocol number, 0–255. */
  readonly protocol: number;
  /** As text, or 4 or 16 bytes in network order. */
  readonly src: string | Uint8Array;
  /** 0–65,535, or the ICMP type. */
  readonly srcPort: number;
  readonly dst: string | Uint8Array;
  /** 0–65,535, or the ICMP code. */
  readonly dstPort: number;
  /** Keeps the ids of one domain apart from those of others, 0–65,535. */
  readonly seed?: number;
}

/** What the answer to an ICMP message is, both ways (RFC 792, RFC 950, RFC 1256). */
const ICMP_ANSWERS = bothWays([8, 0], [10, 9], [13, 14], [15, 16], [17, 18]);
/** The same for ICMPv6 (RFC 4443, RFC 2710, RFC 4861, RFC 4620, RFC 6275). */
const ICMPV6_ANSWERS = bothWays([128, 129], [130, 131], [133, 134], [135, 136], [139, 140], [144, 145]);

function bothWays(...pairs: readonly (readonly [number, number])[]): ReadonlyMap<number, number> {
  return new Map(
    pairs.flatMap(([request, answer]): [number, number][] => [
      [request, answer],
      [answer, request],
    ]),
  );
}

/** Seed, two IPv6 addresses, protocol and padding, two ports. */
const INPUT_BYTES_MAX = 2 + 32 + 2 + 4;
const input = new Uint8Array(INPUT_BYTES_MAX);
const inputView = new DataView(input.buffer);

/**
 * Community ID version 1 (github.com/corelight/community-id-spec): the same text for both directions of a flow, and in every other
 * program that knows it. Null where the addresses are none, or not of one IP version.
 */
export function communityId(flow: CommunityFlow): string | null {
  const src = typeof flow.src === 'string' ? addressBytes(flow.src) : flow.src;
  const dst = typeof flow.dst === 'string' ? addressBytes(flow.dst) : flow.dst;
  if (src === null || dst === null || src.length !== dst.length || (src.length !== 4 && src.length !== 16)) return null;
  const { protocol, srcPort } = flow;
  const answers = protocol === IpProtocol.Icmp ? ICMP_ANSWERS : protocol === IpProtocol.Icmpv6 ? ICMPV6_ANSWERS : null;
  const answer = answers?.get(srcPort);
  const dstPort = answer ?? flow.dstPort;
  // A message without an answer goes one way, so its sender stays in front.
  const isOneWay = answers !== null && answer === undefined;
  const order = isOneWay ? -1 : Buffer.compare(src, dst) || (hasPorts(protocol) ? srcPort - dstPort : 0);
  const isForward = order <= 0;
  inputView.setUint16(0, flow.seed ?? 0);
  input.set(isForward ? src : dst, 2);
  input.set(isForward ? dst : src, 2 + src.length);
  let end = 2 + 2 * src.length;
  input[end] = protocol;
  input[end + 1] = 0;
  end += 2;
  if (hasPorts(protocol)) {
    inputView.setUint16(end, isForward ? srcPort : dstPort);
    inputView.setUint16(end + 2, isForward ? dstPort : srcPort);
    end += 4;
  }
  return `1:${hash('sha1', input.subarray(0, end), 'base64')}`;
}

/** Protocols whose ports, or type and code, are part of the id. */
function hasPorts(protocol: number): boolean {
  switch (protocol) {
    case IpProtocol.Tcp:
    case IpProtocol.Udp:
    case IpProtocol.Sctp:
    case IpProtocol.Icmp:
    case IpProtocol.Icmpv6:
      return true;
    default:
      return false;
  }
}
