const INTERVAL_MS = 100;
const BAR_WIDTH = 30;
const CLEAR_LINE = '\r\x1b[K';

/** Shows how far long work has come, on standard error, if a person looks on. */
export class StepProgress {
  private readonly isShown = process.stdout.isTTY === true && process.stderr.isTTY === true;
  private shownMs = 0;
  private stage = '';

  /** `ratio` of the stage is done, from 0 to 1. May be called often. */
  show(stage: string, ratio: number): void {
    const nowMs = performance.now();
    if (!this.isShown || (stage === this.stage && nowMs - this.shownMs < INTERVAL_MS)) return;
    this.shownMs = nowMs;
    this.stage = stage;
    const filled = Math.round(Math.min(1, ratio) * BAR_WIDTH);
    const bar = `${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}`;
    process.stderr.write(`${CLEAR_LINE}[${bar}] ${String(Math.floor(ratio * 100)).padStart(3)} %  ${stage}`);
  }

  /** Takes the line away. */
  end(): void {
    if (this.isShown) process.stderr.write(CLEAR_LINE);
  }
}
