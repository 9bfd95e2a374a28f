/** Bits of `Slot.Inspect`. Those of direction 1 are those of direction 0, one to the left. */
export const enum Inspect {
  /** `StreamSeq` is known: the SYN was seen, or the first payload. */
  Started0 = 0x01,
  Started1 = 0x02,
  /** No parser wants more of what this direction sends. */
  Done0 = 0x04,
  Done1 = 0x08,
  /** Bytes of this direction wait in an assembly for those that are missing. */
  Assembling0 = 0x10,
  Assembling1 = 0x20,
  /** The flow's QUIC state, if there is any, belongs to this flow and not to an earlier one in the same slot. */
  Quic = 0x40,
  /** What was recognised, or nothing was, but the connection may turn to TLS yet (STARTTLS and the like). */
  MayTurn = 0x80,
  /** The lowest of four bits: datagrams that were looked at and not recognised. */
  Tries = 0x100,
  TriesMask = 0xf00,
}
