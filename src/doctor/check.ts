import type { Config } from '../config.js';
import type { Host } from './host.js';

/** `warn`: it works, and could be better or will not last; `fail`: it does not work; `unknown`: the machine does not tell. */
export type Verdict = 'ok' | 'warn' | 'fail' | 'unknown';

/** What a check found. */
export interface Finding {
  readonly verdict: Verdict;
  /** What was seen, and why that is good or bad: one sentence. */
  readonly why: string;
  /** The command that mends it, where one does. */
  readonly mend?: string;
}

/** One question to the machine. */
export interface Check {
  /** For `--json` and for people; kebab-case. */
  readonly name: string;
  readonly run: (host: Host, config: Config) => Finding | Promise<Finding>;
}

export const ok = (why: string): Finding => ({ verdict: 'ok', why });
export const warn = (why: string, mend?: string): Finding => ({ verdict: 'warn', why, ...(mend !== undefined && { mend }) });
export const fail = (why: string, mend?: string): Finding => ({ verdict: 'fail', why, ...(mend !== undefined && { mend }) });
export const unknown = (why: string): Finding => ({ verdict: 'unknown', why });
