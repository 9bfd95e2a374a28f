interface Window {
  startMs: number;
  count: number;
}

/**
 * Counts what clients do within windows of `windowMs`, by client. At most `clientsMax` clients are remembered: then the one whose
 * window began first is forgotten, so that nobody fills the memory by coming from many addresses.
 */
export class Attempts {
  private readonly windows = new Map<string, Window>();

  /** `max` 0 is no limit. */
  constructor(
    private readonly max: number,
    private readonly windowMs: number,
    private readonly clientsMax: number,
  ) {}

  /** Counts one attempt, unless the client has none left: then it says in how many ms it has again. 0: it was counted. */
  take(client: string, nowMs: number): number {
    const waitMs = this.waitMs(client, nowMs);
    if (waitMs === 0) this.count(client, nowMs);
    return waitMs;
  }

  /** For how many ms the client has no attempt left; 0 if it has one. Counts nothing. */
  waitMs(client: string, nowMs: number): number {
    const window = this.windows.get(client);
    if (this.max === 0 || window === undefined || window.count < this.max) return 0;
    return Math.max(0, window.startMs + this.windowMs - nowMs);
  }

  count(client: string, nowMs: number): void {
    const window = this.windows.get(client);
    if (window !== undefined && nowMs - window.startMs < this.windowMs) {
      window.count++;
      return;
    }
    this.windows.delete(client);
    if (this.windows.size >= this.clientsMax) {
      const [first] = this.windows.keys();
      if (first !== undefined) this.windows.delete(first);
    }
    this.windows.set(client, { startMs: nowMs, count: 1 });
  }
}
