import type { HostBlock } from '../ring/host-block.js';
import { Host, HostCell } from '../ring/host-layout.js';
import type { FlowTable } from './flow-table.js';

/** Flows that are evicted in one step when the table is to be smaller: some milliseconds of work, between packets. */
const TRIM_PER_STEP = 512;

/** What main orders a parse worker to do otherwise, while it runs: looked at once a step, so it costs no packet anything. */
export class HostOrders {
  /** False: payload is not to be read, since the worker is short of time. */
  isPayloadRead = true;
  private settingsVersion = 0;
  private flowTablePercent = 100;

  constructor(
    private readonly host: HostBlock,
    private readonly table: FlowTable,
  ) {}

  obey(): void {
    const { host, table } = this;
    this.isPayloadRead = host.control(Host.IsPayloadUnread) === 0;
    const percent = host.control(Host.FlowTablePercent);
    if (percent !== this.flowTablePercent) {
      this.flowTablePercent = percent;
      table.limit(percent);
    }
    if (percent < 100) table.trim(TRIM_PER_STEP);
    const version = host.control(Host.SettingsVersion);
    if (version !== this.settingsVersion) {
      this.settingsVersion = version;
      this.takeSettings();
    }
  }

  private takeSettings(): void {
    const { cells } = this.host;
    const at = (cell: HostCell): number => cells[cell] as number;
    const timeouts = {
      idleTcpUs: at(HostCell.IdleTcpUs),
      idleUdpUs: at(HostCell.IdleUdpUs),
      idleOtherUs: at(HostCell.IdleOtherUs),
      tcpLingerUs: at(HostCell.TcpLingerUs),
    };
    this.table.setTimeouts(timeouts, at(HostCell.ActiveUs));
  }
}
