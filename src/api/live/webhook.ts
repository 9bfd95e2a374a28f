import type { LiveFields } from './live-message.js';

/** Alerts that wait for the receiver; beyond them the oldest are dropped and counted. */
const QUEUE_MAX = 100;
const ALERTS_PER_REQUEST_MAX = 20;
const REQUEST_MS_MAX = 10_000;
const BACKOFF_MS_MIN = 1_000;
const BACKOFF_MS_MAX = 600_000;
/** Answers after which the same request may succeed later: too slow, too many, and what is the receiver's own trouble. */
const isPassing = (status: number): boolean => status === 408 || status === 429 || status >= 500;

/** What the webhook has done, for the metrics. */
export interface WebhookCounts {
  sent: number;
  failed: number;
  dropped: number;
}

/**
 * Posts alerts as JSON, `{"alerts":[…]}`, to where the operator wants them (`alerts.webhook-url`). A receiver that does not answer is
 * tried again, each time later, ten minutes at most; one that refuses what it is sent is not sent it again.
 */
export class Webhook {
  readonly counts: WebhookCounts = { sent: 0, failed: 0, dropped: 0 };
  private readonly queue: LiveFields[] = [];
  private readonly stopping = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private isSending = false;
  private backoffMs = 0;

  /** `onTrouble` is told the first of several failures, in a sentence that does not have the URL: that may hold a secret. */
  constructor(
    private url: string,
    private readonly onTrouble: (sentence: string) => void,
  ) {}

  /** Has what waits, and what comes, sent to another receiver, at once. */
  moveTo(url: string): void {
    this.url = url;
    this.backoffMs = 0;
    if (this.timer === undefined) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.send(), 0).unref();
  }

  /** Takes an alert; it is sent at once, or when the receiver is back. */
  offer(alert: LiveFields): void {
    if (this.queue.length === QUEUE_MAX) {
      this.queue.shift();
      this.counts.dropped++;
    }
    this.queue.push(alert);
    if (!this.isSending) this.timer ??= setTimeout(() => void this.send(), this.backoffMs).unref();
  }

  /** Gives up what has not been sent. */
  close(): void {
    clearTimeout(this.timer);
    this.stopping.abort();
  }

  private async send(): Promise<void> {
    this.timer = undefined;
    this.isSending = true;
    const alerts = this.queue.splice(0, ALERTS_PER_REQUEST_MAX);
    const failure = await this.post(alerts);
    this.isSending = false;
    if (this.stopping.signal.aborted) return;
    if (failure === null) {
      this.counts.sent += alerts.length;
      this.backoffMs = 0;
    } else this.failed(alerts, failure);
    if (this.queue.length > 0) this.timer ??= setTimeout(() => void this.send(), this.backoffMs).unref();
  }

  private failed(alerts: LiveFields[], { sentence, isPassing: comesAgain }: Failure): void {
    this.counts.failed++;
    if (this.backoffMs === 0) this.onTrouble(sentence);
    const spread = 0.5 + Math.random() / 2;
    this.backoffMs = Math.min(Math.max(this.backoffMs * 2, BACKOFF_MS_MIN), BACKOFF_MS_MAX) * spread;
    if (!comesAgain) {
      this.counts.dropped += alerts.length;
      return;
    }
    const room = QUEUE_MAX - this.queue.length;
    this.counts.dropped += Math.max(0, alerts.length - room);
    this.queue.unshift(...alerts.slice(Math.max(0, alerts.length - room)));
  }

  private async post(alerts: readonly LiveFields[]): Promise<Failure | null> {
    try {
      const response = await fetch(this.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'user-agent': 'flowberry' },
        body: JSON.stringify({ alerts }),
        redirect: 'error',
        signal: AbortSignal.any([this.stopping.signal, AbortSignal.timeout(REQUEST_MS_MAX)]),
      });
      await response.body?.cancel();
      if (response.ok) return null;
      return { sentence: `the receiver of alerts answered ${response.status}`, isPassing: isPassing(response.status) };
    } catch (error) {
      const cause = (error as Error).cause;
      const why = (cause as { code?: string } | undefined)?.code ?? (error as Error).name;
      return { sentence: `the receiver of alerts cannot be reached: ${why}`, isPassing: true };
    }
  }
}

interface Failure {
  readonly sentence: string;
  /** It may be another time. */
  readonly isPassing: boolean;
}
