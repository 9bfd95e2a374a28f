import { memoryBytesOf } from '../live/process-figures.js';

const LOOK_MS = 500;
/** Memory stands still when so many looks have not seen a larger one than so many before them did, but for this: 30 s each. */
export const SETTLED_LOOKS = 60;
const SETTLED_BYTES = 1_000_000;

/** Metrics of the live stream, as `/metrics` names them. */
const STREAM_METRICS = {
  clients: 'flowberry_live_clients',
  waitingBytes: 'flowberry_live_waiting_bytes',
  dropped: 'flowberry_live_dropped_messages_total',
  sentBytes: 'flowberry_live_sent_bytes_total',
  closedSlow: 'flowberry_live_closed_slow_total',
  refused: 'flowberry_live_refused_total',
} as const;

type StreamFigures = Record<keyof typeof STREAM_METRICS, number>;

/** One look at a daemon. */
export interface DaemonLook extends Readonly<StreamFigures> {
  readonly rssBytes: number;
}

/** Looks again and again at the memory of a daemon and at what it says of its live stream. */
export class DaemonWatch {
  looks: DaemonLook[] = [];
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly pid: number,
    private readonly metricsUrl: string,
  ) {
    this.timer = setInterval(() => void this.look(), LOOK_MS);
  }

  /** Whether the memory of the daemon has stopped growing. */
  get isSettled(): boolean {
    const largest = (looks: readonly DaemonLook[]): number => Math.max(...looks.map(({ rssBytes }) => rssBytes));
    const { looks } = this;
    if (looks.length < 2 * SETTLED_LOOKS) return false;
    return largest(looks.slice(-SETTLED_LOOKS)) - largest(looks.slice(-2 * SETTLED_LOOKS, -SETTLED_LOOKS)) < SETTLED_BYTES;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Forgets what was seen, and returns it. */
  take(): DaemonLook[] {
    const { looks } = this;
    this.looks = [];
    return looks;
  }

  private async look(): Promise<void> {
    try {
      const answer = await fetch(this.metricsUrl);
      const text = await answer.text();
      const figureOf = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
      const figures = Object.fromEntries(Object.entries(STREAM_METRICS).map(([key, name]) => [key, figureOf(name)]));
      this.looks.push({ ...(figures as StreamFigures), rssBytes: memoryBytesOf(this.pid, 'VmRSS') });
    } catch {
      // The daemon is gone or does not answer: the run fails for that by itself, and a look less is no matter.
    }
  }
}
