import type { RecordKind } from '../../ring/layout.js';

/** Takes records of what was learnt besides flows: DNS transactions, devices. */
export interface RecordSink {
  /**
   * Hands the first `bytes` bytes of `words` to the writer as a record of `kind`, and sets its time of emission, which is the first
   * 64-bit word of each kind. Never refuses; what lies in `words` is copied.
   */
  emit(kind: RecordKind, words: Int32Array, bytes: number): void;
}
