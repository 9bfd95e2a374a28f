import { AlertPosts } from './alert-posts.js';
import type { LiveSource } from './live-feed.js';
import { Webhook } from './webhook.js';

/** The webhook that the operator wants now, or none. */
export class AlertWebhook {
  private url = '';
  private webhook: Webhook | null = null;
  private posts: AlertPosts | null = null;

  /** `onTrouble` is told, in a sentence, that alerts cannot be posted. */
  constructor(
    private readonly source: LiveSource,
    private readonly onTrouble: (sentence: string) => void,
  ) {}

  /** Posts alerts there from now on, also those that wait for another receiver; '' posts none, and gives up those that wait. */
  sendTo(url: string): void {
    if (url === this.url) return;
    this.url = url;
    if (url !== '' && this.webhook !== null) {
      this.webhook.moveTo(url);
      return;
    }
    this.close();
    if (url === '') return;
    this.webhook = new Webhook(url, this.onTrouble);
    this.posts = new AlertPosts(this.source, this.webhook);
  }

  /** To be called once a second with the monotonic clock. */
  tick(nowMs: number): void {
    this.posts?.tick(nowMs);
  }

  /** Gives up what has not been sent. */
  close(): void {
    this.webhook?.close();
    this.webhook = null;
    this.posts = null;
  }
}
