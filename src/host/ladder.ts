/** What a ladder goes by at one look. */
export interface LadderView {
  /** Why the next step is needed, for the log; null when it is not. */
  readonly worse: string | null;
  /** Whether the last step is not needed any more. Never true together with `worse`. */
  readonly isBetter: boolean;
}

/** How long things must be bad or good before a step is taken or undone, ms. */
export interface LadderTimes {
  readonly riseMs: number;
  readonly fallMs: number;
}

/**
 * Steps against one danger: one more is taken when things were bad at every look for `riseMs`, the last one is undone when they were good at
 * every look for `fallMs`. In between nothing happens, so that a value that swings about a limit does not swing the steps.
 */
export class Ladder<Step> {
  private count = 0;
  private worseSinceMs = Number.NaN;
  private betterSinceMs = Number.NaN;

  /** `steps` in the order in which they are taken. */
  constructor(
    private readonly steps: readonly Step[],
    private readonly times: LadderTimes,
  ) {}

  /** The steps that are taken now. */
  get taken(): readonly Step[] {
    return this.steps.slice(0, this.count);
  }

  /** The step that would be taken next; undefined when all are. */
  get next(): Step | undefined {
    return this.steps[this.count];
  }

  /** Looks once; `nowMs` never goes back. Returns the step that was taken or undone by this, if any. */
  look(nowMs: number, { worse, isBetter }: LadderView): { readonly step: Step; readonly isTaken: boolean } | null {
    if (worse === null) this.worseSinceMs = Number.NaN;
    else if (Number.isNaN(this.worseSinceMs)) this.worseSinceMs = nowMs;
    if (!isBetter) this.betterSinceMs = Number.NaN;
    else if (Number.isNaN(this.betterSinceMs)) this.betterSinceMs = nowMs;

    const { next } = this;
    if (next !== undefined && nowMs - this.worseSinceMs >= this.times.riseMs) {
      this.count++;
      this.worseSinceMs = Number.NaN;
      return { step: next, isTaken: true };
    }
    if (this.count > 0 && nowMs - this.betterSinceMs >= this.times.fallMs) {
      this.count--;
      this.betterSinceMs = Number.NaN;
      return { step: this.steps[this.count] as Step, isTaken: false };
    }
    return null;
  }
}
