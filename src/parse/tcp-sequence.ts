import { Slot } from '../ring/layout.js';
import type { Packet } from '../wire/packet.js';
import { TcpFlag } from '../wire/tcp.js';
import { Seen, SYN_FIN_RST } from './tcp-state.js';

/** What is late by less than this is taken to have been overtaken, as long as no round trip is known (Wireshark takes 3 ms, too). */
const REORDER_US = 3000;

/** A SYN that is farther from the highest byte seen than this begins anew; a nearer one is an old one that comes again. */
const SYN_DISTANCE_MAX = 2 ** 24;
/** So many repeated acknowledgements make the sender send again at once (RFC 5681 section 3.2); the observer may have missed one. */
const DUPLICATE_ACKS_MIN = 2;

/**
 * Follows sequence numbers and handshake of the TCP flow whose slot starts at `word`: retransmissions, segments out of order,
 * zero windows and round trips. Sequence numbers count modulo 2^32 (RFC 9293 section 3.4). Allocates nothing.
 *
 * A segment below the highest byte seen is a *retransmission* if the other side has acknowledged it already, or asked for it by
 * repeated acknowledgements. Otherwise it is *out of order* if it comes within a round trip of that byte and does not end where it does, and a
 * retransmission if not. These are Wireshark's rules. A keep-alive (RFC 9293 section 3.8.4) is neither, nor is a probe of a window
 * that is zero (section 3.8.6.1), whose byte comes again when there is room. `direction` is the packet's, `us` its time.
 */
export function followSequence(
  words: Int32Array,
  floats: Float64Array,
  word: number,
  packet: Packet,
  direction: number,
  us: number,
): void {
  const flags = packet.tcpFlags;
  if ((flags & TcpFlag.Syn) !== 0) followSyn(words, floats, word, flags, us);
  else if (((words[word + Slot.TcpSeen] as number) & Seen.Answered) !== 0)
    followAnswered(words, floats, word, flags, direction, us);
  if (packet.tcpWindow === 0 && (flags & SYN_FIN_RST) === 0) count(words, word + Slot.ZeroWindows0 + direction);
  const length = packet.payloadBytes + ((flags & TcpFlag.Syn) !== 0 ? 1 : 0) + ((flags & TcpFlag.Fin) !== 0 ? 1 : 0);
  if ((flags & TcpFlag.Ack) !== 0) followAck(words, word, packet, length, direction);
  words[word + Slot.LastWindow0 + direction] = packet.tcpWindow + 1;
  if (length === 0) return;
  const end = (packet.tcpSeq + length) | 0;
  const seenBit = direction === 0 ? Seen.Seq0 : Seen.Seq1;
  const seen = words[word + Slot.TcpSeen] as number;
  const next = words[word + Slot.NextSeq0 + direction] as number;
  const ahead = (packet.tcpSeq - next) | 0;
  const isFresh = (seen & seenBit) === 0 || ((flags & TcpFlag.Syn) !== 0 && Math.abs(ahead) > SYN_DISTANCE_MAX);
  if (!isFresh && ahead < 0) {
    const isKeepAlive = ahead === -1 && length === 1 && (flags & SYN_FIN_RST) === 0;
    if (isKeepAlive) return;
    const isLate = isOutOfOrder(words, floats, word, packet, end, direction, us);
    count(words, word + (isLate ? Slot.OutOfOrder0 : Slot.Retransmits0) + direction);
    if (((end - next) | 0) <= 0) return;
  }
  const isProbe = length === 1 && ahead === 0 && words[word + Slot.LastWindow1 - direction] === 1;
  if (isProbe && !isFresh && (flags & SYN_FIN_RST) === 0) return;
  words[word + Slot.TcpSeen] = seen | seenBit;
  words[word + Slot.NextSeq0 + direction] = end;
  floats[(word >> 1) + Slot.HighestUsF64 + direction] = us;
}

/** Whether a segment below the highest byte was overtaken, and not sent again. */
function isOutOfOrder(
  words: Int32Array,
  floats: Float64Array,
  word: number,
  packet: Packet,
  end: number,
  direction: number,
  us: number,
): boolean {
  if (end === words[word + Slot.NextSeq0 + direction]) return false;
  const ackBit = direction === 0 ? Seen.Ack1 : Seen.Ack0;
  if (((words[word + Slot.TcpSeen] as number) & ackBit) !== 0) {
    const lastAck = words[word + Slot.LastAck1 - direction] as number;
    if (packet.payloadBytes > 0 && ((lastAck - end) | 0) >= 0) return false;
    const isAskedFor = lastAck === packet.tcpSeq;
    if (isAskedFor && (words[word + Slot.DuplicateAcks1 - direction] as number) >= DUPLICATE_ACKS_MIN) return false;
  }
  const lateUs = us - (floats[(word >> 1) + Slot.HighestUsF64 + direction] as number);
  return lateUs >= 0 && lateUs < reorderUs(words, word);
}

/** An acknowledgement without data that says the same as the one before it, of the window as well, is a request to send again. */
function followAck(words: Int32Array, word: number, packet: Packet, length: number, direction: number): void {
  const ack = packet.tcpAck;
  if (words[word + Slot.LastAck0 + direction] === ack) {
    const isSame = packet.tcpWindow !== 0 && words[word + Slot.LastWindow0 + direction] === packet.tcpWindow + 1;
    if (length === 0 && isSame) count(words, word + Slot.DuplicateAcks0 + direction);
    return;
  }
  words[word + Slot.TcpSeen] = (words[word + Slot.TcpSeen] as number) | (direction === 0 ? Seen.Ack0 : Seen.Ack1);
  words[word + Slot.LastAck0 + direction] = ack;
  words[word + Slot.DuplicateAcks0 + direction] = 0;
}

function count(words: Int32Array, index: number): void {
  words[index] = (words[index] as number) + 1;
}

function reorderUs(words: Int32Array, word: number): number {
  const rttUs = (words[word + Slot.RttClientUs] as number) + (words[word + Slot.RttServerUs] as number);
  return rttUs > 0 ? rttUs : REORDER_US;
}

/**
 * SYN, SYN-ACK and ACK in the order in which the observer sees them split the round trip in two. A SYN or an answer that was
 * sent twice tells none, since it is not known which one was meant (Karn, RFC 6298 section 3).
 */
function followSyn(words: Int32Array, floats: Float64Array, word: number, flags: number, us: number): void {
  const float = word >> 1;
  if ((flags & TcpFlag.Ack) === 0) {
    floats[float + Slot.SynUsF64] = floats[float + Slot.SynUsF64] === 0 ? us : -1;
    return;
  }
  const isFirst = floats[float + Slot.SynAckUsF64] === 0;
  floats[float + Slot.SynAckUsF64] = isFirst ? us : -1;
  const seen = words[word + Slot.TcpSeen] as number;
  words[word + Slot.TcpSeen] = isFirst ? seen | Seen.Answered : seen & ~Seen.Answered;
  const synUs = floats[float + Slot.SynUsF64] as number;
  if (isFirst && synUs > 0 && us > synUs) words[word + Slot.RttServerUs] = Math.min(us - synUs, RTT_US_MAX);
}

/** The initiator's first ACK ends the handshake. */
function followAnswered(
  words: Int32Array,
  floats: Float64Array,
  word: number,
  flags: number,
  direction: number,
  us: number,
): void {
  const isFromInitiator = ((words[word + Slot.Initiator] as number) & 1) === direction;
  if (!isFromInitiator || (flags & TcpFlag.Ack) === 0) return;
  words[word + Slot.TcpSeen] = (words[word + Slot.TcpSeen] as number) & ~Seen.Answered;
  const synAckUs = floats[(word >> 1) + Slot.SynAckUsF64] as number;
  if (us > synAckUs) words[word + Slot.RttClientUs] = Math.min(us - synAckUs, RTT_US_MAX);
}

/** A slot's word holds no more; a handshake that takes longer than half an hour tells nothing. */
const RTT_US_MAX = 2 ** 31 - 1;
