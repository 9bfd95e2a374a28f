/**
 * Every byte that threads share, drawn once. No other file contains an offset.
 *
 * All offsets are *word indexes* (32-bit words) unless the name ends in `Bytes`; a name that ends in `F64` is an index of
 * 64-bit words. They are `const enum`s because the hot path reads them: TypeScript writes the literal, where an imported
 * constant costs a load for each use (measured: 4 ns for six literals, 8 ns for six imports).
 *
 * ```
 * ring          0           128         256         384         512                        512+capacity
 *               | version   | produced  | consumed  | producer  | records ...              |
 *               | capacity  |           | cursor    | waiting   |                          |
 * record        | length in bytes, header included (multiple of 8) | kind | payload ...    |
 *
 * thread block  0           128         256         384
 *               | version   | doorbell: | doorbell: | cells (64-bit floats) ...            |
 *               | command   | sleeping  | sequence  |                                      |
 *               | state     |           |           |                                      |
 *
 * flow table    0                       256                             256 + 384 slots
 *               | version, clock,       | slots, 384 bytes each ...     | details, 768 bytes each ...
 *               | journal of emission   |                               |
 *
 * interfaces    | 64 bytes each: link type, flags, 48 bytes of name, zero-terminated UTF-8 |
 * ```
 *
 * Fields that different threads write stand at least 128 bytes apart, so that no cache line is written by two cores
 * (64-byte lines on x86-64 and Cortex-A76, 128 on some arm64 cores).
 */
export const LAYOUT_VERSION = 1;

/** Word indexes of a ring's header. */
export const enum Ring {
  Version = 0,
  CapacityBytes = 1,
  /** Position behind the last published record, modulo 2^32. The producer writes it. */
  Produced = 32,
  /** Position behind the last released record, modulo 2^32. The consumer writes it. */
  Consumed = 64,
  /** Position of the record that the consumer has in hand; a successor may go on here. The consumer writes it. */
  Cursor = 65,
  /** 1 while the producer sleeps for space. The producer writes it. */
  ProducerWaiting = 96,
  /** Two notes of a position and of the records published up to it, modulo 2^32; the one whose position is `Produced` holds. */
  CountNote0 = 98,
  CountNote1 = 100,
  /** Records that found no room and were dropped, modulo 2^32. The producer writes it. */
  Refused = 102,
  /** Position behind the last record that is whole, published or not, modulo 2^32; 0 where nobody notes it. The producer writes it. */
  Committed = 103,
  DataBytes = 512,
}

/** A record's header, words from its start. */
export const enum Record {
  LengthBytes = 0,
  Kind = 1,
  HeaderBytes = 8,
}

/** What a record holds. */
export const enum RecordKind {
  /** Fills the end of the ring where the next record would not fit in one piece. */
  Padding = 0,
  Frame = 1,
  /** A `Slot` up to `RecordBytes`, then `Slot.DetailBytes` bytes of details (`flow-details.ts`). */
  Flow = 2,
  /** A `Dns` transaction. */
  Dns = 3,
  /** A `Device` that was seen. */
  Device = 4,
}

/** Words of a frame record's payload, from its start; the captured bytes follow at `HeaderBytes`. */
export const enum Frame {
  /** Bytes of the frame that lie in the record, at most `CapturedBytes`. */
  CopiedBytes = 0,
  /** Bytes that the capture kept. */
  CapturedBytes = 1,
  /** Bytes that the frame had on the wire, from 0 to 2^32 - 1. */
  WireBytes = 2,
  /** Seconds since 1970 UTC, unsigned. */
  Seconds = 3,
  /** 0 to 999,999,999. */
  Nanoseconds = 4,
  /** Index into the interface table. */
  InterfaceIndex = 5,
  /** Link type as pcap numbers it (LINKTYPE_). */
  LinkType = 6,
  HeaderBytes = 32,
}

/** Word indexes of a thread block. */
export const enum Thread {
  Version = 0,
  /** A `Command`. Main writes it. */
  Command = 1,
  /** A `ThreadState`. The thread writes it. */
  State = 2,
  /** Kernel id of the thread, for `/proc/self/task`. */
  TaskId = 3,
  Sleeping = 32,
  Sequence = 64,
  CellsF64 = 48,
  CellCount = 192,
}

/** What main asks of a thread. */
export const enum Command {
  Run = 0,
  /** Finish what has been handed over, then end. */
  Drain = 1,
}

/** How far a thread has come. */
export const enum ThreadState {
  Starting = 0,
  Running = 1,
  Draining = 2,
  Ended = 3,
}

/**
 * Word indexes of a flow table's header. The slots are the truth; buckets, lists and totals are derived from them and live in
 * the worker's own memory, so that a successor can rebuild what its predecessor left half-done.
 */
export const enum Table {
  Version = 0,
  SlotCount = 1,
  /** Slot whose emission is under way, or -1. */
  JournalSlot = 4,
  /** Ring position at which that slot's record starts. */
  JournalPosition = 5,
  /** Cursor of the frame ring when the packet in hand was taken. */
  TakenPosition = 6,
  /** The table's clock in µs since 1970; it never goes back. */
  ClockF64 = 8,
  /** The last flow id given to a flow that was written in segments. */
  FlowIdLastF64 = 9,
  /** Emitted flows, packets, IP bytes and wire bytes as they were before the emission under way. */
  JournalFlowsF64 = 10,
  JournalPacketsF64 = 11,
  JournalIpBytesF64 = 12,
  JournalWireBytesF64 = 13,
  HeaderBytes = 256,
}

/**
 * One flow, as it lies in the table and, unchanged, in a flow record.
 *
 * Word indexes from the slot's start; `...F64` in 64-bit words. The key is canonical: `lo` is the smaller of the two
 * (address, port) pairs. Direction 0 is lo → hi, 1 is hi → lo; `Initiator` says which of them is `src`.
 *
 * What a packet touches lies in four of the six cache lines: words 0 to 15 (the key), 16 to 31, 32 to 47 (the counts), and 80 to 95.
 */
export const enum Slot {
  State = 0,
  Hash = 1,
  /** IP protocol number in bits 0–7, VLAN id in bits 8–19 (0 when it is no part of the key), IP version 4 or 6 in bits 20–23. */
  Protocol = 2,
  /** `lo` port in the upper, `hi` port in the lower 16 bits. */
  Ports = 3,
  /** Four words each, every word the big-endian number of its four bytes; IPv4 is the last one and the others are 0. */
  AddressLo = 4,
  AddressHi = 8,
  /** As `InitiatorBit` tells. */
  Initiator = 12,
  InterfaceIndex = 13,
  /** Type in the upper, code in the lower 8 bits of the first packet, for ICMP and ICMPv6. */
  Icmp = 14,
  /** VLAN id of the first packet, outermost tag; 0 for none. */
  VlanId = 15,
  /** TCP flags seen in direction 0 and 1. */
  TcpFlags0 = 16,
  TcpFlags1 = 17,
  /** A `TcpState`. */
  TcpState = 18,
  /** An `EndReason`; 0 while the flow is open. */
  EndReason = 19,
  /** 0 for a flow's first segment. */
  SegmentIndex = 20,
  /** Which idle list holds the slot. */
  IdleClass = 21,
  /** What the TCP state machine has seen; `parse/tcp-state.ts` names the bits. */
  TcpSeen = 22,
  /** An `Application`, as the flow's payload shows it; 0 where it shows none. */
  Application = 23,

  /** First and last packet of this segment, µs since 1970. */
  StartUsF64 = 12,
  EndUsF64 = 13,
  /** Table clock at the last packet; the idle lists are in this order. */
  TouchedUsF64 = 14,
  /** Table clock at the start of the segment; the active list is in this order. */
  SegmentUsF64 = 15,
  Packets0F64 = 16,
  Packets1F64 = 17,
  IpBytes0F64 = 18,
  IpBytes1F64 = 19,
  WireBytes0F64 = 20,
  WireBytes1F64 = 21,
  PayloadBytes0F64 = 22,
  PayloadBytes1F64 = 23,
  /** Table clock at the emission. */
  EmittedUsF64 = 24,
  /** Same for all segments of a flow; 0 for a flow of one segment. */
  FlowIdF64 = 25,
  /** Round trips of the handshake in µs, observer to initiator and back, and observer to responder and back; 0 if not seen. */
  RttClientUs = 52,
  RttServerUs = 53,
  /** TCP segments of this segment of the flow, by direction. */
  Retransmits0 = 54,
  Retransmits1 = 55,
  OutOfOrder0 = 56,
  OutOfOrder1 = 57,
  ZeroWindows0 = 58,
  ZeroWindows1 = 59,

  /** The outermost tunnel of the first packet, as `TunnelBit` tells; 0 for none, and the words below then mean nothing. */
  Tunnel = 60,
  TunnelId = 61,
  /** Four words each, as those of the key; source and destination of the first packet. */
  TunnelSrc = 62,
  TunnelDst = 66,
  /** Bytes of the flow's details, which stand behind the slots and in the record behind the slot; at most `Details.BytesMax`. */
  DetailBytes = 71,

  /** Times of the SYN and of the answer; -1 when it was seen twice and no round trip can be told from it. */
  SynUsF64 = 36,
  SynAckUsF64 = 37,

  /** Sequence number behind the highest byte seen in each direction; `TcpSeen` tells whether there is one. */
  NextSeq0 = 80,
  NextSeq1 = 81,
  /** Last acknowledgement in each direction, and how often it was repeated. */
  LastAck0 = 82,
  LastAck1 = 83,
  DuplicateAcks0 = 84,
  DuplicateAcks1 = 85,
  /** When the highest byte was seen in direction 0; direction 1 follows. */
  HighestUsF64 = 43,
  /** Sequence number of the first byte in each direction that no parser of payload has taken; `Inspect` tells whether it is known. */
  StreamSeq0 = 90,
  StreamSeq1 = 91,
  /** How far the payload has been looked at; `parse/app/inspect-state.ts` names the bits. */
  Inspect = 92,
  /** Window of the last segment in each direction, not scaled, and 1 more; 0 before the first. */
  LastWindow0 = 93,
  LastWindow1 = 94,
  /** Odd while the slot becomes another flow or begins another segment. Who finds the same even number before and after has read one. */
  Version = 95,

  Words = 96,
  Bytes = 384,
  /** What a flow record carries: the slot up to here, then its details. */
  RecordBytes = 288,
}

/** What the payload told of a flow: one block per slot, behind the slots, in their order. `flow-details.ts` draws what is in it. */
export const enum Details {
  BytesMax = 768,
}

/** Bits of `Slot.Initiator`. */
export const enum InitiatorBit {
  /** Direction of the initiator: 0 or 1. */
  Direction = 1,
  /** A SYN has settled it. */
  Settled = 2,
  /** The first bytes of the connection were seen, and are those of no application that is known. */
  StartUnknown = 4,
}

/** Bits of `Slot.Tunnel`. */
export const enum TunnelBit {
  /** A `TunnelType`. */
  TypeMask = 0xff,
  /** The tunnel has an id. */
  HasId = 0x100,
  /** The first packet went in direction 1. */
  IsFromHi = 0x200,
  /** From here, four bits: IP version of its addresses, 0 if it has none. */
  IpVersion = 20,
}

/** State of a slot. */
export const enum SlotState {
  Free = 0,
  Active = 1,
}

/** Why a flow was written. The names are in `END_REASONS`. */
export const enum EndReason {
  None = 0,
  Idle = 1,
  Active = 2,
  TcpFin = 3,
  TcpReset = 4,
  Evicted = 5,
  EndOfInput = 6,
  Shutdown = 7,
}

/** Names of `EndReason`, in its order. */
export const END_REASONS = [
  '',
  'idle_timeout',
  'active_timeout',
  'tcp_fin',
  'tcp_reset',
  'evicted',
  'end_of_input',
  'shutdown',
] as const;

/** How far a TCP connection came. The names are in `TCP_STATES`. */
export const enum TcpState {
  None = 0,
  /** A SYN without an answer, also where its sender took it back by RST. */
  Attempt = 1,
  Established = 2,
  /** FIN in both directions. */
  Closed = 3,
  /** RST after the SYN had been answered: after the handshake, or in its place by either side. */
  Reset = 4,
  /** SYN answered by the other side's RST, and by nothing else before. */
  Rejected = 5,
  /** The handshake was not seen. */
  Midstream = 6,
}

/** Names of `TcpState`, in its order. */
export const TCP_STATES = ['', 'attempt', 'established', 'closed', 'reset', 'rejected', 'midstream'] as const;

/** The interface table: filled by the capture before the first frame of an interface is published. */
export const enum Interface {
  LinkType = 0,
  /** 1 once the entry may be read. */
  Ready = 1,
  NameBytes = 16,
  NameBytesMax = 48,
  Words = 16,
  Bytes = 64,
  /** Entries; the last one stands for all interfaces beyond it. */
  CountMax = 256,
}

function assertLayout(ok: boolean, what: string): asserts ok {
  if (!ok) throw new Error(`shared memory layout: ${what}`);
}

/** Byte address apart from which two cores cannot disturb each other. */
const APART_WORDS = 16;
const apart = (a: number, b: number): boolean => Math.abs(a - b) >= APART_WORDS;

assertLayout(apart(Ring.Produced, Ring.Consumed), 'producer and consumer positions share a cache line');
assertLayout(apart(Ring.Cursor, Ring.ProducerWaiting), 'cursor and producer flag share a cache line');
assertLayout(Ring.DataBytes % 64 === 0 && Ring.DataBytes > Ring.ProducerWaiting * 4, 'ring data overlap its header');
assertLayout(apart(Thread.Command, Thread.Sleeping), 'command and doorbell share a cache line');
assertLayout(apart(Thread.Sleeping, Thread.Sequence), 'doorbell flag and sequence share a cache line');
assertLayout(Thread.CellsF64 * 8 >= Thread.Sequence * 4 + 128, 'cells share a cache line with the doorbell');
assertLayout(Table.ClockF64 * 8 > Table.TakenPosition * 4, 'table header overlaps');
assertLayout(Table.JournalWireBytesF64 * 8 + 8 <= Table.HeaderBytes, 'table header too small');
assertLayout(Slot.StartUsF64 * 8 > Slot.Application * 4, 'slot words overlap its 64-bit words');
assertLayout(Slot.RttClientUs >= (Slot.FlowIdF64 + 1) * 2, 'TCP measurements overlap the 64-bit words');
assertLayout(Slot.Tunnel > Slot.ZeroWindows1, 'tunnel words overlap the TCP measurements');
assertLayout(Slot.DetailBytes > Slot.TunnelDst + 3, 'length of the details overlaps the tunnel');
assertLayout((Slot.DetailBytes + 1) * 4 === Slot.RecordBytes, 'flow record does not end behind its last field');
assertLayout(Slot.SynUsF64 * 8 >= Slot.RecordBytes, 'times of the handshake overlap the flow record');
assertLayout(Slot.NextSeq0 * 4 >= (Slot.SynAckUsF64 + 1) * 8, 'times of the handshake overlap the sequence numbers');
assertLayout(Slot.HighestUsF64 * 8 > Slot.DuplicateAcks1 * 4, 'sequence numbers overlap the times behind them');
assertLayout((Slot.HighestUsF64 + 2) * 8 <= Slot.StreamSeq0 * 4, 'times overlap the state of the inspection');
assertLayout(Slot.LastWindow1 < Slot.Version && Slot.Version === Slot.Words - 1, 'version is not the last word of the slot');
assertLayout(
  (Slot.NextSeq0 * 4) % 64 === 0 && (Slot.Packets0F64 * 8) % 64 === 0,
  'what a packet touches is not in cache lines of its own',
);
assertLayout(Details.BytesMax % 8 === 0, 'details are no whole 64-bit words');
assertLayout(Slot.RecordBytes <= Slot.Bytes && Slot.Words * 4 === Slot.Bytes, 'slot size');
assertLayout(Slot.Bytes % 64 === 0, 'slot size is no multiple of a cache line');
assertLayout(Interface.NameBytes + Interface.NameBytesMax <= Interface.Bytes, 'interface name overlaps the next entry');
