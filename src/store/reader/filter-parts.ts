import type { LookupKind, LookupSubject } from '../lookup/lookup-kind.js';
import type { Criterion, SearchPlan } from './lookup-search.js';
import type { Bound } from './statement.js';

/** Entries that are looked up one by one for a criterion; with more, its rows are found by reading. */
export const KEYS_MAX = 1000;

/** Puts a plan together, a filter at a time. */
export class PlanBuilder {
  private readonly criteria: Criterion[] = [];
  private readonly conditions: string[] = [];
  private readonly bound: Bound[] = [];
  private isMatch: SearchPlan['isMatch'] = null;
  private isEmpty = false;
  private untilUs: number | null = null;
  private bytesMin = 0;
  private idMin = 0;

  constructor(
    private readonly table: 'flows' | 'dns',
    private readonly subject: LookupSubject,
  ) {}

  /** No row can match. */
  nothing(): void {
    this.isEmpty = true;
  }

  /** SQL that is true for the rows asked for; without a key, they are found by reading. */
  condition(sql: string, ...bound: Bound[]): void {
    this.conditions.push(sql);
    this.bound.push(...bound);
  }

  /** The rows asked for have one of these keys. */
  keys(kind: LookupKind, keys: readonly number[]): void {
    if (keys.length === 0) this.isEmpty = true;
    if (keys.length <= KEYS_MAX) this.criteria.push({ kind, ranges: keys.map((key) => [key, key]) });
  }

  keyRange(kind: LookupKind, from: number, to: number): void {
    this.criteria.push({ kind, ranges: [[from, to]] });
  }

  /** What SQL cannot tell of the two addresses of a row; one such filter at most. */
  match(isMatch: (first: number, second: number) => boolean): void {
    const before = this.isMatch;
    this.isMatch = before ? (first, second) => before(first, second) && isMatch(first, second) : isMatch;
  }

  /** Only rows that began before this, µs since 1970. */
  until(us: number): void {
    this.untilUs = us;
  }

  bytes(min: number): void {
    this.bytesMin = min;
  }

  /**
   * Only rows that ended at this time or later, µs since 1970: an id is never before the end of its row, but that ids are even.
   */
  since(us: number): void {
    this.idMin = us - 1;
  }

  plan(): SearchPlan {
    const { table, subject, criteria, conditions, bound, isMatch, isEmpty, untilUs, bytesMin, idMin } = this;
    return { table, subject, criteria, conditions, bound, isMatch, isEmpty, untilUs, bytesMin, idMin };
  }
}
