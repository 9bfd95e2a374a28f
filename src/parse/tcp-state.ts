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
}

/** Flags that can change a state, unless a handshake is under way. */
export const SYN_FIN_RST = TcpFlag.Syn | TcpFlag.Fin | TcpFlag.Rst;

/** State of a flow whose first packet carries these flags. */
export function firstTcpState(flags: number): TcpState {
  return (flags & TcpFlag.Syn) !== 0 ? TcpState.Attempt : TcpState.Midstream;
}

/** Whether the connection has ended. */
export function isEnded(state: TcpState): boolean {
  return state === TcpState.Closed || state === TcpState.Reset || state === TcpState.Rejected;
}

/**
 * The state after a segment (RFC 9293 section 3.3.2, as far as an observer sees it). `seen` are the marks before the segment,
 * with the segment's own already added; `isFromInitiator` tells its direction.
 */
export function nextTcpState(state: TcpState, flags: number, seen: number, isFromInitiator: boolean): TcpState {
  if (isEnded(state)) return state;
  if ((flags & TcpFlag.Rst) !== 0) return state === TcpState.Attempt ? TcpState.Rejected : TcpState.Reset;
  if ((seen & Seen.FinBoth) === Seen.FinBoth) return TcpState.Closed;
  // The initiator's first ACK ends the handshake, also where the answer took another way and was not seen.
  if (state === TcpState.Attempt && isFromInitiator && (flags & (TcpFlag.Syn | TcpFlag.Ack)) === TcpFlag.Ack)
    return TcpState.Established;
  return state;
}
