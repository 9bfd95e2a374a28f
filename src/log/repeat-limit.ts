/** A line like one of the last minute is held back. */
const WINDOW_MS = 60_000;
/** Kinds of lines that are remembered; with more, the one that was let through longest ago is forgotten, and may come again early. */
const KINDS_MAX = 256;

interface Kind {
  readonly sinceMs: number;
  heldBack: number;
  /** How the last one read that was held back. */
  last: string;
}

/** Lines of one kind that were held back and are to be told now. */
export interface Repeats {
  readonly message: string;
  readonly count: number;
}

/** Lets one line of each kind through within a minute, and counts the others. */
export class RepeatLimit {
  private readonly kinds = new Map<string, Kind>();

  /** Whether a line of the kind `key` may pass. */
  mayPass(key: string, message: string, nowMs: number): boolean {
    const kind = this.kinds.get(key);
    if (kind && nowMs - kind.sinceMs < WINDOW_MS) {
      kind.heldBack++;
      kind.last = message;
      return false;
    }
    if (kind?.heldBack) return this.holdOn(kind, message);
    this.kinds.delete(key);
    if (this.kinds.size >= KINDS_MAX) this.kinds.delete(this.kinds.keys().next().value as string);
    this.kinds.set(key, { sinceMs: nowMs, heldBack: 0, last: message });
    return true;
  }

  /** The kinds whose minute is over and of which lines were held back; they begin anew. */
  due(nowMs: number): Repeats[] {
    const repeats: Repeats[] = [];
    for (const [key, kind] of this.kinds) {
      if (nowMs - kind.sinceMs < WINDOW_MS) continue;
      this.kinds.delete(key);
      if (kind.heldBack === 0) continue;
      repeats.push({ message: kind.last, count: kind.heldBack });
      // What is told now is the line of the minute that begins.
      this.kinds.set(key, { sinceMs: nowMs, heldBack: 0, last: kind.last });
    }
    return repeats;
  }

  /** Whether anything is held back. */
  get isHolding(): boolean {
    for (const { heldBack } of this.kinds.values()) if (heldBack > 0) return true;
    return false;
  }

  /** All that is held back, whatever the time: the log ends. */
  all(): Repeats[] {
    const repeats = [...this.kinds.values()].filter(({ heldBack }) => heldBack > 0);
    this.kinds.clear();
    return repeats.map(({ last, heldBack }) => ({ message: last, count: heldBack }));
  }

  /** The minute is over, and nobody has asked for what was held back yet: this line belongs to it. */
  private holdOn(kind: Kind, message: string): false {
    kind.heldBack++;
    kind.last = message;
    return false;
  }
}
