import { randomBytes } from 'node:crypto';
import type { Session } from '../messages.js';
import { monotonicMs } from '../ring/thread-block.js';

/** Starts a session now. */
export function newSession(mode: Session['mode'], source: string): Session {
  return { key: randomBytes(8).toString('hex'), mode, source, startedUs: Date.now() * 1000, startedMonotonicMs: monotonicMs() };
}
