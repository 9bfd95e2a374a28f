import { token } from './api.js';

const RETRY_MS_MIN = 1000;
const RETRY_MS_MAX = 30_000;
/** A page that nobody sees lets go of its connection after this time. */
const HIDDEN_MS_MAX = 30_000;

/** Subprotocol, and how a token is shown: browsers cannot send headers with a WebSocket. */
function protocols() {
  const secret = token();
  if (!secret) return ['flowberry'];
  const encoded = btoa(String.fromCharCode(...new TextEncoder().encode(secret)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
  return ['flowberry', `token.${encoded}`];
}

/** The live stream, which comes back by itself. Listeners are called with messages of their type; `state` tells of the connection. */
export class Live {
  constructor(url) {
    this.url = url;
    this.listeners = new Map();
    this.topics = new Map();
    this.retryMs = RETRY_MS_MIN;
    this.socket = null;
    this.state = 'connecting';
    document.addEventListener('visibilitychange', () => this.visibilityChanged());
    this.connect();
  }

  /** Calls `listener` with every message of this type; returns a function that ends that. */
  on(type, listener) {
    const listeners = this.listeners.get(type) ?? new Set();
    this.listeners.set(type, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /** Wants a topic; returns a function that ends that. */
  want(topic) {
    const count = this.topics.get(topic) ?? 0;
    this.topics.set(topic, count + 1);
    if (count === 0) this.send({ type: 'subscribe', topics: [topic] });
    return () => {
      const left = this.topics.get(topic) - 1;
      this.topics.set(topic, left);
      if (left === 0) this.send({ type: 'unsubscribe', topics: [topic] });
    };
  }

  connect() {
    clearTimeout(this.timer);
    if (this.socket || document.hidden) return;
    const socket = new WebSocket(this.url, protocols());
    this.socket = socket;
    socket.addEventListener('open', () => {
      this.retryMs = RETRY_MS_MIN;
      const topics = [...this.topics].filter(([, count]) => count > 0).map(([topic]) => topic);
      if (topics.length > 0) this.send({ type: 'subscribe', topics });
      this.setState('live');
    });
    socket.addEventListener('message', ({ data }) => this.take(JSON.parse(data)));
    socket.addEventListener('close', () => {
      if (this.socket !== socket) return;
      this.socket = null;
      this.setState(document.hidden ? 'paused' : 'reconnecting');
      this.timer = setTimeout(() => this.connect(), this.retryMs * (0.5 + Math.random() / 2));
      this.retryMs = Math.min(this.retryMs * 2, RETRY_MS_MAX);
    });
  }

  take(message) {
    if (message.type === 'batch') for (const each of message.messages) this.tell(each);
    else this.tell(message);
  }

  tell(message) {
    for (const listener of this.listeners.get(message.type) ?? []) listener(message);
  }

  send(request) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(request));
  }

  setState(state) {
    this.state = state;
    this.tell({ type: 'state', state });
  }

  visibilityChanged() {
    clearTimeout(this.hiddenTimer);
    if (document.hidden) this.hiddenTimer = setTimeout(() => this.socket?.close(), HIDDEN_MS_MAX);
    else {
      this.retryMs = RETRY_MS_MIN;
      this.connect();
    }
  }
}
