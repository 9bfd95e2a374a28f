interface Standing {
  readonly start: () => void;
  readonly signal: AbortSignal;
  readonly giveUp: () => void;
}

/** Lets so many in at a time, and the others in the order in which they came. */
export class Turns {
  private readonly line: Standing[] = [];

  constructor(private free: number) {}

  /** Resolves when it is the caller's turn; the caller ends it with `pass`. Rejects when `signal` comes first: then there is none to end. */
  take(signal: AbortSignal): Promise<void> {
    if (this.free > 0) {
      this.free--;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.line.splice(this.line.indexOf(standing), 1);
        reject(signal.reason);
      };
      const standing: Standing = { start: resolve, signal, giveUp };
      this.line.push(standing);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  /** Gives the turn to the next in line. */
  pass(): void {
    const next = this.line.shift();
    if (next === undefined) {
      this.free++;
      return;
    }
    next.signal.removeEventListener('abort', next.giveUp);
    next.start();
  }
}
