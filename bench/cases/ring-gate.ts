/** Words through which the consumer of the case `ring-threads` starts the producer's batches and ends it. */
export const enum Gate {
  /** Grows by one for every batch. */
  Batch = 0,
  Ended = 1,
}

/** `workerData` of the producing thread. */
export interface RingProducerStart {
  readonly ring: SharedArrayBuffer;
  /** Thread block of the consumer. */
  readonly consumerBlock: SharedArrayBuffer;
  /** `Gate` words. */
  readonly gate: SharedArrayBuffer;
  readonly records: number;
  readonly payloadBytes: number;
  readonly recordsPerPublish: number;
}
