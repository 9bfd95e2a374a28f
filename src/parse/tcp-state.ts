import { TcpState } from '../ring/layout.js';
import { TcpFlag } from '../wire/tcp.js';

/** TCP flags that decide the state, as seen so far in both directions of a flow; kept beside the state in the slot. */
export const enum Seen {
  Fin0 = 0x01,
  Fin1 = 0x02,
  FinBoth = 0x03,
  /** A sequence number is known of direction 0, 1. */
  Seq0 = 0x04,
  Seq1 = 0x08,
  /** An acknowledgement was seen in direction 0, 1. */
  Ack0 = 0x10,
  Ack1 = 0x20,
  /** A SYN was answered, and the ACK of that answer has not been seen. */
  Answered = 0x40,
  /** The responder sent a SYN of its own: it took the connection, at least for a moment. */
  ResponderSyn = 0x80,
  /** The initiator took its SYN back by RST before an answer was seen: the attempt has ended as one. */
  GivenUp = 0x100,
}

/** Flags that can change a state, unless a handshake is under way. */
export const SYN_FIN_RST = TcpFlag.Syn | TcpFlag.Fin | TcpFlag.Rst;

/** State of a flow whose first packet carries these flags. */
export function firstTcpState(flags: number): TcpState {
  return (flags & TcpFlag.Syn) !== 0 ? TcpState.Attempt : TcpState.Midstream;
}

/** Whether the connection has ended; `seen` are its marks. */
export function isEnded(state: TcpState, seen: number): boolean {
  if (state === TcpState.Attempt) return (seen & Seen.GivenUp) !== 0;
  return state === TcpState.Closed || state === TcpState.Reset || state === TcpState.Rejected;
}

/**
 * What an attempt becomes by RST. The responder refuses by it only if it had not taken the connection before: with its SYN in
 * between, somebody is there, and a half-open scan (SYN, SYN-ACK, RST) has found an open port. Zeek tells them apart alike: REJ,
 * RSTO and RSTR, and RSTOS0 for a SYN that was taken back, which stays an attempt without an answer.
 */
function attemptAfterRst(seen: number, isFromInitiator: boolean): TcpState {
  if ((seen & Seen.ResponderSyn) !== 0) return TcpState.Reset;
  return isFromInitiator ? TcpState.Attempt : TcpState.Rejected;
}

/**
 * The state after a segment (RFC 9293 section 3.3.2, as far as an observer sees it). `seen` are the marks before the segment,
 * with the segment's own already added; `isFromInitiator` tells its direction.
 */
export function nextTcpState(state: TcpState, flags: number, seen: number, isFromInitiator: boolean): TcpState {
  if (isEnded(state, seen)) return state;
  if ((flags & TcpFlag.Rst) !== 0) return state === TcpState.Attempt ? attemptAfterRst(seen, isFromInitiator) : TcpState.Reset;
  if ((seen & Seen.FinBoth) === Seen.FinBoth) return TcpState.Closed;
  // The initiator's first ACK ends the handshake, also where the answer took another way and was not seen.
  if (state === TcpState.Attempt && isFromInitiator && (flags & (TcpFlag.Syn | TcpFlag.Ack)) === TcpFlag.Ack)
    return TcpState.Established;
  return state;
}
