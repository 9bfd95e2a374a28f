import type { OptionValues } from './config.js';

const MIB = 2 ** 20;

/** Names of the profiles. `auto` sets nothing. */
export const PROFILE_NAMES = ['auto', 'pi5-2gb', 'pi5-4gb', 'pi5-8gb', 'pi5-16gb', 'throughput', 'low-latency', 'small'] as const;

export type ProfileName = (typeof PROFILE_NAMES)[number];

/**
 * What each profile sets instead of the defaults, once. File, environment and flags go before it.
 *
 * The sizes of `pi5-…` are for a machine that does little else. A slot of the flow table takes 1,152 bytes, and a packet waits in its ring
 * with all bytes that were captured of it.
 */
export const PROFILES: Readonly<Record<ProfileName, OptionValues>> = {
  /** Nothing: sizes of 0 are chosen by RAM (`memory.ts`). */
  auto: {},
  'pi5-2gb': {
    'flow.active-max': 3_000,
    'ring.frame-bytes': 8 * MIB,
    'ring.flow-bytes': 4 * MIB,
    'capture.buffer-bytes': 8 * MIB,
    'db.cache-kib': 8_192,
    'names.addresses-max': 4_096,
    'host.memory-bytes-max': 384 * MIB,
  },
  'pi5-4gb': {
    'flow.active-max': 5_000,
    'ring.frame-bytes': 16 * MIB,
    'db.cache-kib': 16_384,
    'host.memory-bytes-max': 512 * MIB,
  },
  'pi5-8gb': {
    'flow.active-max': 20_000,
    'ring.frame-bytes': 32 * MIB,
    'db.cache-kib': 65_536,
    'names.addresses-max': 16_384,
    'host.memory-bytes-max': 768 * MIB,
  },
  'pi5-16gb': {
    'flow.active-max': 50_000,
    'ring.frame-bytes': 64 * MIB,
    'ring.flow-bytes': 16 * MIB,
    'capture.buffer-bytes': 32 * MIB,
    'db.cache-kib': 131_072,
    'names.addresses-max': 65_536,
    'host.memory-bytes-max': 1_536 * MIB,
  },
  /** Many packets, few transactions: rows wait up to ten seconds and come in thousands. */
  throughput: {
    'batch.rows-min': 2_000,
    'batch.age-ms-max': 10_000,
    'batch.rows-max': 20_000,
    'capture.buffer-bytes': 64 * MIB,
    'ring.frame-bytes': 64 * MIB,
    'ring.flow-bytes': 16 * MIB,
    'db.cache-kib': 65_536,
    'host.memory-bytes-max': 1_024 * MIB,
  },
  /** Flows are in the database soon after their end, which costs the card more writes for each. */
  'low-latency': {
    'batch.rows-min': 1,
    'batch.age-ms-max': 500,
    'flow.idle-udp-s': 15,
    'flow.idle-other-s': 10,
    'flow.active-s': 60,
    'flow.tcp-linger-s': 1,
  },
  /** For a machine that has other things to do. */
  small: {
    'parse.workers': 1,
    'flow.active-max': 2_000,
    'ring.frame-bytes': 4 * MIB,
    'ring.flow-bytes': 1 * MIB,
    'capture.buffer-bytes': 4 * MIB,
    'db.cache-kib': 4_096,
    'names.addresses-max': 2_048,
    'host.memory-bytes-max': 320 * MIB,
  },
};
