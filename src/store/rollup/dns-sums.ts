import { DnsTransport } from '../../ring/name-records.js';
import { Accumulator, FULL, NO_KEY } from './accumulator.js';
import { bandOf } from './flow-sums.js';
import { CODE_LOCAL, DnsMeasure, KINDS } from './kinds.js';
import { MINUTE_US } from './levels.js';

/** Adds DNS transactions up by minute and response code, by client and of all clients. */
export class DnsSums {
  /** Minutes that share a row. */
  minutes = 1;
  readonly accumulators: readonly Accumulator[];
  private readonly byClient = new Accumulator(KINDS.dns);
  private readonly byCode = new Accumulator(KINDS.dns_code);

  /** `makeRoom` is called when an accumulator is full; it writes and clears both. */
  constructor(private readonly makeRoom: () => void) {
    this.accumulators = [this.byClient, this.byCode];
  }

  clear(): void {
    for (const accumulator of this.accumulators) accumulator.clear();
  }

  /** Adds a transaction; `latencyUs` and `code` are negative for one that was not answered. Allocates nothing. */
  add(seenUs: number, client: number, transport: number, code: number, latencyUs: number): void {
    const isDns = transport === DnsTransport.Udp || transport === DnsTransport.Tcp;
    const seen = Math.floor(seenUs / MINUTE_US);
    const minute = seen - (seen % this.minutes);
    const key = isDns ? (code < 0 ? NO_KEY : code) : CODE_LOCAL;
    const us = isDns ? latencyUs : -1;
    this.addRow(this.byClient, minute, client, key, us);
    this.addRow(this.byCode, minute, key, NO_KEY, us);
  }

  private addRow(to: Accumulator, minute: number, key0: number, key1: number, latencyUs: number): void {
    let at = to.find(minute, key0, key1);
    if (at === FULL) {
      this.makeRoom();
      at = to.find(minute, key0, key1);
    }
    const { values, kind } = to;
    values[at + DnsMeasure.Queries] = (values[at + DnsMeasure.Queries] as number) + 1;
    if (latencyUs < 0) return;
    values[at + DnsMeasure.LatencyCount] = (values[at + DnsMeasure.LatencyCount] as number) + 1;
    values[at + DnsMeasure.LatencyUs] = (values[at + DnsMeasure.LatencyUs] as number) + latencyUs;
    const band = at + kind.bandsAt + bandOf(latencyUs);
    values[band] = (values[band] as number) + 1;
  }
}
