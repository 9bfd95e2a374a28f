import { memoryBytesOf } from '../live/process-figures.js';

const LOOK_MS = 500;

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
