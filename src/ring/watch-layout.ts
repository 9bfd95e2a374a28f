/**
 * What the capture says of the interfaces that it watches, drawn once; `layout.ts` has the rules and the rest of the memory.
 *
 * ```
 * links   | 256 bytes each: state, name of at most 47 bytes, times, counters of the network card, packet socket |
 *
 * gaps    0                        64
 *         | number of the last gap | 64 entries of 40 bytes; gap n lies in entry (n - 1) modulo 64 |
 * ```
 *
 * Names ending in `Bytes` are bytes, in `F64` indexes of 64-bit words, all others indexes of 32-bit words.
 */
export const enum Link {
  /** A `LinkState`. */
  State = 0,
  /** 1 once the entry may be read. */
  Ready = 1,
  NameBytes = 16,
  NameBytesMax = 48,
  /** When the state was looked at last, µs since 1970. */
  CheckedUsF64 = 8,
  /** Start of the gap that is open, µs since 1970; 0 while the interface is captured from. */
  GapStartUsF64 = 9,
  /** Number of that gap in the gap log. */
  GapNumberF64 = 10,
  /** From here `NicCounter.Count` counters, each the growth since the capture began. */
  CountersF64 = 11,
  /** The packet socket, for a successor of the capture thread: its descriptor and 1, or 0 for none; its ring, what it delivers. */
  SocketF64 = 17,
  MappingF64 = 18,
  MappingBytesF64 = 19,
  LinkTypeF64 = 20,
  /** Block of the ring that is read next; `Cell.FramesReceived` as it was before the block in hand, or -1 without one. */
  BlockIndexF64 = 21,
  BlockReceivedF64 = 22,
  /** Descriptor, and 1, of the socket that asks for the state; 0 for none. */
  ProbeF64 = 23,
  /** What the kernel has counted for the capture, and dropped of it, since the session began. */
  KernelPacketsF64 = 24,
  KernelDroppedF64 = 25,
  /** Where the kernel writes its counts, three unsigned 32-bit words, before they are added to the two above. */
  KernelCountsF64 = 26,
  Words = 64,
  Bytes = 256,
  /** Interfaces that can be watched at once. */
  CountMax = 16,
}

/** Whether an interface can be captured from. The names are in `LINK_STATES`. */
export const enum LinkState {
  Up = 0,
  /** There is no interface of this name. */
  Missing = 1,
  /** It is there and switched off. */
  Down = 2,
  /** It is switched on and its link is down: no cable, no access point, no peer. */
  NoCarrier = 3,
  /** It is there and cannot be opened; the log says why. */
  Failed = 4,
}

/** Names of `LinkState`, in its order. */
export const LINK_STATES = ['up', 'missing', 'down', 'no_carrier', 'failed'] as const;

/** What the kernel counts for an interface, in the order of `NIC_COUNTERS`. */
export const enum NicCounter {
  RxPackets = 0,
  TxPackets = 1,
  RxDropped = 2,
  RxMissed = 3,
  RxFifo = 4,
  RxOver = 5,
  Count = 6,
}

/** Names of `NicCounter` in its order: those of the files below `/sys/class/net/NAME/statistics`. */
export const NIC_COUNTERS = [
  'rx_packets',
  'tx_packets',
  'rx_dropped',
  'rx_missed_errors',
  'rx_fifo_errors',
  'rx_over_errors',
] as const;

export const enum Gap {
  /** Number of the last gap that was begun, 0 for none. */
  LastNumber = 0,
  HeaderBytes = 64,
  /** Number of the gap in this entry; 0 while it is being written. */
  Number = 0,
  /** A `GapReason`. */
  Reason = 1,
  /** Index into the links. */
  LinkIndex = 2,
  StartUsF64 = 2,
  /** 0 while the gap is open. */
  EndUsF64 = 3,
  EntryBytes = 40,
  EntryCount = 64,
}

/** Why nothing could be captured. The names are in `GAP_REASONS`. */
export const enum GapReason {
  None = 0,
  /** The interface was not there: never yet, taken away, or renamed. */
  Missing = 1,
  Down = 2,
  NoCarrier = 3,
  /** The interface could not be opened. */
  Failed = 4,
  /** Another interface of the same name was there instead, or its kind had changed. */
  Replaced = 5,
  /** The capture thread was replaced. */
  Restarted = 6,
}

/** Names of `GapReason`, in its order; they never change their meaning. */
export const GAP_REASONS = [
  '',
  'interface_missing',
  'interface_down',
  'no_carrier',
  'open_failed',
  'interface_replaced',
  'capture_restarted',
] as const;

if (
  Link.CountersF64 + NicCounter.Count > Link.SocketF64 ||
  (Link.KernelCountsF64 + 2) * 8 > Link.Bytes ||
  Link.Words * 4 !== Link.Bytes
)
  throw new Error('link layout: an entry ends before its last field');
if (Link.NameBytes + Link.NameBytesMax > Link.CheckedUsF64 * 8) throw new Error('link layout: the name overlaps the times');
if ((Gap.EndUsF64 + 1) * 8 > Gap.EntryBytes || Gap.LinkIndex * 4 >= Gap.StartUsF64 * 8)
  throw new Error('gap layout: fields overlap');
if (NIC_COUNTERS.length !== NicCounter.Count) throw new Error('network card counters: names and numbers differ');
