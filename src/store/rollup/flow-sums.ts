import { Accumulator, addMeasures, Field, FULL, NO_KEY } from './accumulator.js';
import { Sample } from './flow-sample.js';
import { BAND_ENDS_US, Direction, KINDS, Measure } from './kinds.js';
import { MINUTE_US } from './levels.js';
import { Place } from './local-networks.js';

/** What is spread over the minutes of a flow: counts that grew while it lasted. */
const SPREAD_FIRST = Sample.SrcPackets;
const SPREAD_COUNT = Sample.OutOfOrder - Sample.SrcPackets + 1;

/** Minutes over which a flow is spread; a longer one has its shares in so many minutes, evenly apart. A day, the longest segment. */
const MINUTES_MAX = 1440;

/** The band of a latency, 0 to 11. */
export function bandOf(us: number): number {
  let band = 0;
  while (band < BAND_ENDS_US.length && us > (BAND_ENDS_US[band] as number)) band++;
  return band;
}

/** Adds flows up by minute, for every kind of rollup. */
export class FlowSums {
  /** Minutes that share a row. */
  minutes = 1;
  /** The flow in hand; fill it, then call `add`. */
  readonly sample = new Float64Array(Sample.Count);
  readonly accumulators: readonly Accumulator[];
  private readonly direction = new Accumulator(KINDS.direction);
  private readonly device = new Accumulator(KINDS.device);
  private readonly application = new Accumulator(KINDS.application);
  private readonly deviceApplication = new Accumulator(KINDS.device_application);
  private readonly deviceName = new Accumulator(KINDS.device_name);
  private readonly name = new Accumulator(KINDS.name);
  private readonly peer = new Accumulator(KINDS.peer);
  /** Counts of the minute in hand, those of `Sample` from `SPREAD_FIRST` on, and how much of each was given to earlier minutes. */
  private readonly shares = new Float64Array(SPREAD_COUNT);
  private readonly given = new Float64Array(SPREAD_COUNT);
  /** Round trip of the flow in hand, µs; 0 if it was not seen. */
  private rttUs = 0;
  private rttBand = 0;

  /** `makeRoom` is called in the middle of a flow when an accumulator is full; it writes and clears all of them. */
  constructor(private readonly makeRoom: () => void) {
    const { direction, device, application, deviceApplication, deviceName, name, peer } = this;
    this.accumulators = [direction, device, application, deviceApplication, deviceName, name, peer];
  }

  /** Adds up what is the sum of other rows, before those are written. */
  derive(): void {
    const { deviceName, name } = this;
    for (let row = 0; row < deviceName.count; row++) {
      const first = row * deviceName.width;
      // As many slots as the other has, so there is room.
      const at = name.find(
        deviceName.values[first + Field.Bucket] as number,
        deviceName.values[first + Field.Key1] as number,
        NO_KEY,
      );
      addMeasures(name, at, deviceName, row);
    }
  }

  clear(): void {
    for (const accumulator of this.accumulators) accumulator.clear();
  }

  /** Adds the flow in `sample`. Allocates nothing. */
  add(): void {
    const { sample, shares, given } = this;
    const serverUs = sample[Sample.RttServerUs] as number;
    this.rttUs = serverUs === 0 ? 0 : serverUs + (sample[Sample.RttClientUs] as number);
    if (this.rttUs !== 0) this.rttBand = bandOf(this.rttUs);
    const startUs = sample[Sample.StartUs] as number;
    const endUs = sample[Sample.EndUs] as number;
    const first = Math.floor(startUs / MINUTE_US);
    const last = Math.floor(endUs / MINUTE_US);
    if (last <= first) {
      for (let i = 0; i < SPREAD_COUNT; i++) shares[i] = sample[SPREAD_FIRST + i] as number;
      this.addMinute(first, true);
      return;
    }
    given.fill(0);
    const stride = Math.ceil((last - first + 1) / MINUTES_MAX);
    for (let minute = first; minute <= last; minute += stride) {
      const isLast = minute + stride > last;
      const part = isLast ? 1 : ((minute + stride) * MINUTE_US - startUs) / (endUs - startUs);
      let isEmpty = true;
      for (let i = 0; i < SPREAD_COUNT; i++) {
        const count = sample[SPREAD_FIRST + i] as number;
        const reached = isLast ? count : Math.floor(count * part);
        const share = reached - (given[i] as number);
        shares[i] = share;
        given[i] = reached;
        if (share !== 0) isEmpty = false;
      }
      if (!isEmpty || minute === first) this.addMinute(minute, minute === first);
    }
  }

  private addMinute(minute: number, isFirst: boolean): void {
    const { sample } = this;
    const src = sample[Sample.Src] as number;
    const dst = sample[Sample.Dst] as number;
    const srcPlace = sample[Sample.SrcPlace] as Place;
    const dstPlace = sample[Sample.DstPlace] as Place;
    const application = sample[Sample.Application] as number;
    const direction = directionOf(srcPlace, dstPlace);
    // 1 where the local side did not begin: what it sent then stands second.
    const turned = direction === Direction.Inbound ? 1 : 0;
    this.addRow(this.direction, minute, direction, NO_KEY, turned, isFirst);
    this.addRow(this.application, minute, application, NO_KEY, turned, isFirst);
    let owner = NO_KEY;
    if (dstPlace === Place.Local) {
      owner = dst;
      this.addRow(this.device, minute, dst, NO_KEY, 1, isFirst);
      this.addRow(this.deviceApplication, minute, dst, application, 1, isFirst);
    }
    if (srcPlace === Place.Local || owner === NO_KEY) {
      owner = srcPlace === Place.Local ? src : NO_KEY;
      this.addRow(this.device, minute, owner, NO_KEY, turned, isFirst);
      this.addRow(this.deviceApplication, minute, owner, application, turned, isFirst);
    }
    const wide = minute - (minute % KINDS.device_name.bucketMinutes);
    this.addRow(this.deviceName, wide, owner, sample[Sample.Name] as number, turned, isFirst);
    if (direction !== Direction.Internal)
      this.addRow(this.peer, minute - (minute % KINDS.peer.bucketMinutes), turned === 1 ? src : dst, NO_KEY, turned, isFirst);
  }

  /** Adds the shares of a minute to a row; with the flow's first minute, what counts once. */
  private addRow(to: Accumulator, minute: number, key0: number, key1: number, turned: number, isFirst: boolean): void {
    const { shares, sample } = this;
    const bucket = minute - (minute % this.minutes);
    let at = to.find(bucket, key0, key1);
    if (at === FULL) {
      this.makeRoom();
      at = to.find(bucket, key0, key1);
    }
    const { values } = to;
    const other = 1 - turned;
    add(values, at + Measure.PacketsOut, shares[turned] as number);
    add(values, at + Measure.PacketsIn, shares[other] as number);
    add(values, at + Measure.BytesOut, shares[2 + turned] as number);
    add(values, at + Measure.BytesIn, shares[2 + other] as number);
    add(values, at + Measure.Retransmits, shares[6] as number);
    add(values, at + Measure.OutOfOrder, shares[7] as number);
    if (to === this.direction) {
      add(values, at + Measure.WireBytesOut, shares[4 + turned] as number);
      add(values, at + Measure.WireBytesIn, shares[4 + other] as number);
    }
    if (!isFirst) return;
    add(values, at + Measure.Flows, 1);
    add(values, at + Measure.TcpAttempts, sample[Sample.TcpAttempts] as number);
    add(values, at + Measure.TcpRejected, sample[Sample.TcpRejected] as number);
    add(values, at + Measure.TcpUnanswered, sample[Sample.TcpUnanswered] as number);
    if (this.rttUs === 0) return;
    add(values, at + Measure.RttCount, 1);
    add(values, at + Measure.RttUs, this.rttUs);
    add(values, at + Measure.RttClientUs, sample[Sample.RttClientUs] as number);
    if (to.kind.bandsAt >= 0) add(values, at + to.kind.bandsAt + this.rttBand, 1);
  }
}

function add(values: Float64Array, at: number, by: number): void {
  values[at] = (values[at] as number) + by;
}

function directionOf(src: Place, dst: Place): Direction {
  if (src === Place.Remote) return dst === Place.Remote ? Direction.Transit : Direction.Inbound;
  return dst === Place.Remote ? Direction.Outbound : Direction.Internal;
}
