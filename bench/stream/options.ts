import type { CaptureParameters } from '../generate/packets.js';
import { type BenchFlags, numberWithin, parametersOf } from '../options.js';

/** What `flowberry bench stream` is to do. */
export interface StreamOptions {
  /** Clients of the live stream, the deaf ones included. */
  readonly clients: number;
  /** Of these, how many never read. */
  readonly deaf: number;
  readonly seconds: number;
  /** Messages per second that each client is to be told: so many flows end. */
  readonly messages: number;
  readonly capture: CaptureParameters;
  readonly json: boolean;
}

const CLIENTS = 100;
const SECONDS = 600;
const SECONDS_MAX = 86_400;
const MESSAGES = 200;
const MESSAGES_MAX = 10_000;
/** The sender holds the capture in memory. */
const STANDARD = { packets: 200_000, flows: 20_000 };

/** Checks the flags; `clientsMax` is how many the stream takes. Throws `USAGE`. */
export function streamOptionsOf(flags: BenchFlags, clientsMax: number): StreamOptions {
  const clients = numberWithin<number>(flags, 'clients', CLIENTS, 1, clientsMax);
  return {
    clients,
    deaf: numberWithin<number>(flags, 'deaf', Math.floor(clients / 2), 0, clients - 1),
    seconds: numberWithin<number>(flags, 'seconds', SECONDS, 1, SECONDS_MAX),
    messages: numberWithin<number>(flags, 'messages', MESSAGES, 1, MESSAGES_MAX),
    capture: parametersOf(flags, STANDARD),
    json: flags['json'] === true,
  };
}
