import { DnsTransport } from '../../ring/name-records.js';
import { Accumulator, FULL, NO_KEY } from './accumulator.js';
import { bandOf } from './flow-sums.js';
import { CODE_LOCAL, DnsMeasure, KINDS } from './kinds.js';
import { MINUTE_US } from './levels.js';

/** Adds DNS transactions up by minute, client and response code. */
export class DnsSums {
  /** Minutes that share a row. */
  minutes = 1;
  readonly accumulator = new Accumulator(KINDS.dns);

  /** `makeRoom` is called when the accumulator is full; it writes and clears it. */
  constructor(private readonly makeRoom: () => void) {}

  /** Adds a transaction; `latencyUs` and `code` are negative for one that was not answered. Allocates nothing. */
  add(seenUs: number, client: number, transport: number, code: number, latencyUs: number): void {
    const { accumulator } = this;
    const isDns = transport === DnsTransport.Udp || transport === DnsTransport.Tcp;
    const seen = Math.floor(seenUs / MINUTE_US);
    const minute = seen - (seen % this.minutes);
    const key = isDns ? (code < 0 ? NO_KEY : code) : CODE_LOCAL;
    let at = accumulator.find(minute, client, key);
    if (at === FULL) {
      this.makeRoom();
      at = accumulator.find(minute, client, key);
    }
    const { values, kind } = accumulator;
    values[at + DnsMeasure.Queries] = (values[at + DnsMeasure.Queries] as number) + 1;
    if (!isDns || latencyUs < 0) return;
    values[at + DnsMeasure.LatencyCount] = (values[at + DnsMeasure.LatencyCount] as number) + 1;
    values[at + DnsMeasure.LatencyUs] = (values[at + DnsMeasure.LatencyUs] as number) + latencyUs;
    const band = at + kind.bandsAt + bandOf(latencyUs);
    values[band] = (values[band] as number) + 1;
  }
}
