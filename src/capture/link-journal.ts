import { Cell } from '../ring/thread-block.js';
import { GAP_REASONS, GapReason, LINK_STATES, LinkState } from '../ring/watch-layout.js';
import type { LiveSetup } from './live-setup.js';
import { NicCounters } from './nic-counters.js';

const US_PER_MS = 1000;

/** What people read of a state. */
const STATE_TEXTS: Readonly<Record<LinkState, string>> = {
  [LinkState.Up]: 'is up',
  [LinkState.Missing]: 'is not there',
  [LinkState.Down]: 'is down',
  [LinkState.NoCarrier]: 'has no link',
  [LinkState.Failed]: 'cannot be opened',
};

/** The gap that a state makes. */
function gapReasonOf(state: LinkState): GapReason {
  switch (state) {
    case LinkState.Missing:
      return GapReason.Missing;
    case LinkState.Down:
      return GapReason.Down;
    case LinkState.NoCarrier:
      return GapReason.NoCarrier;
    default:
      return GapReason.Failed;
  }
}

/**
 * Keeps the books of one watched interface in shared memory and in the log: its state, its gaps, what its network card lost. A
 * journal that takes over from a dead capture thread goes on with the open gap, or makes one of the time in between.
 */
export class LinkJournal {
  private readonly nic: NicCounters;
  private readonly predecessorUs: number;

  constructor(
    private readonly index: number,
    private name: string,
    private readonly setup: LiveSetup,
    sysfsRoot?: string,
  ) {
    const { links } = setup;
    const isSuccessor = links.add(index, name) && links.gapNumber(index) === 0;
    this.predecessorUs = isSuccessor ? links.checkedUs(index) : 0;
    this.nic = new NicCounters(links.counters(index), sysfsRoot);
  }

  /** The interface is now known by this name. */
  rename(name: string): void {
    this.name = name;
    this.setup.links.add(this.index, name);
  }

  /** Whether a gap is open. */
  get isGapOpen(): boolean {
    return this.setup.links.gapNumber(this.index) !== 0;
  }

  /** When the interface was last known to deliver, µs since 1970. */
  get checkedUs(): number {
    return this.setup.links.checkedUs(this.index);
  }

  /** The source was opened: what the network card lost before is not counted. One that is inherited has missed nothing. */
  opened(isInherited: boolean): void {
    this.nic.restart(this.name);
    const { predecessorUs, setup } = this;
    if (predecessorUs === 0 || isInherited || this.isGapOpen) return;
    this.begin(GapReason.Restarted, predecessorUs);
    this.end(setup.nowUs());
  }

  /**
   * Takes down the state as it is at `nowUs` and begins or ends a gap. A gap begins at `sinceUs`, for the reason that the state
   * gives, unless another one is given.
   */
  check(state: LinkState, nowUs: number, sinceUs: number, reason = gapReasonOf(state)): void {
    const { links } = this.setup;
    this.nic.refresh(this.name);
    if (state !== LinkState.Up && !this.isGapOpen) {
      this.begin(reason, sinceUs);
      this.say('warn', `${this.name} ${STATE_TEXTS[state]}; the capture goes on when it is back`, {
        reason: GAP_REASONS[reason],
      });
    } else if (state === LinkState.Up && this.isGapOpen) {
      const gapMs = this.end(nowUs);
      this.say('info', `${this.name} is captured from again`, { gap_ms: gapMs });
    } else if (state !== links.state(this.index)) {
      this.say('info', `${this.name} ${STATE_TEXTS[state]}`, { state: LINK_STATES[state] });
    }
    links.check(this.index, state, nowUs);
  }

  /** The interface was away between `sinceUs` and `nowUs`, and is back. */
  flapped(reason: GapReason, sinceUs: number, nowUs: number): void {
    if (this.isGapOpen) return;
    this.begin(reason, sinceUs);
    this.say('info', `${this.name} was interrupted`, { reason: GAP_REASONS[reason], gap_ms: this.end(nowUs) });
  }

  /** The capture ends: so does the gap. */
  close(): void {
    if (this.isGapOpen) this.end(this.setup.nowUs());
  }

  /** A line for the log about this interface. */
  say(level: 'warn' | 'info', message: string, fields: Readonly<Record<string, string | number>> = {}): void {
    this.setup.log(level, message, { interface: this.name, ...fields });
  }

  private begin(reason: GapReason, startUs: number): void {
    const { links, gaps, block } = this.setup;
    links.setGap(this.index, gaps.begin(this.index, reason, startUs), startUs);
    block.cells[Cell.Gaps] = block.cell(Cell.Gaps) + 1;
  }

  /** Returns its length in ms. */
  private end(nowUs: number): number {
    const { links, gaps, block } = this.setup;
    const gapMs = Math.max(0, nowUs - links.gapStartUs(this.index)) / US_PER_MS;
    gaps.end(links.gapNumber(this.index), nowUs);
    block.cells[Cell.GapMs] = block.cell(Cell.GapMs) + gapMs;
    links.setGap(this.index, 0, 0);
    return Math.round(gapMs);
  }
}
