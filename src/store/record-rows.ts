import type { Database } from 'better-sqlite3';
import type { Config } from '../config.js';
import type { InterfaceTable } from '../ring/interface-table.js';
import { Cell, type ThreadBlock } from '../ring/thread-block.js';
import { type AlertOptions, Alerts } from './alerts/alerts.js';
import { Shedder } from './budget/shedder.js';
import { Devices } from './devices.js';
import { Dimensions } from './dimensions.js';
import { DnsRows } from './dns-rows.js';
import type { RecordMemory, RingSink } from './flow-rings.js';
import { FlowRows, type RowSums } from './flow-rows.js';
import { LiveRun } from './lookup/live-run.js';
import { DNS_LOOKUP, FLOW_LOOKUP } from './lookup/lookup-rows.js';
import { NameCache } from './name-cache.js';
import { Rollups } from './rollup/rollups.js';
import { RowIds } from './row-ids.js';

/** Options that concern rows. */
export type RecordOptions = Pick<Config, 'namesAddressesMax' | 'storeLocalNetworks'> & AlertOptions;

/** Turns the records of all kinds into rows, and keeps what is remembered between them. Has no transaction of its own. */
export class RecordRows implements RingSink {
  /** Which records of a batch are left out. */
  readonly shedder: Shedder;
  /** What the rows can be looked up by. */
  readonly lookups: readonly [flows: LiveRun, dns: LiveRun];
  readonly rollups: Rollups;
  readonly alerts: Alerts;
  readonly dimensions: Dimensions;
  readonly names: NameCache;
  private readonly flowIds: RowIds;
  private readonly dnsIds: RowIds;
  private readonly flows: FlowRows;
  private readonly dnsRows: DnsRows;
  readonly devices: Devices;
  /** DNS transactions of the batch that were left out. */
  private dnsShed = 0;

  constructor(db: Database, interfaces: InterfaceTable, config: RecordOptions, isLive: boolean) {
    const { namesAddressesMax, storeLocalNetworks: localNetworks } = config;
    this.alerts = new Alerts(db, config, isLive);
    this.rollups = new Rollups(db, localNetworks);
    this.dimensions = new Dimensions(db, interfaces);
    this.shedder = new Shedder(this.dimensions);
    this.names = new NameCache(namesAddressesMax);
    this.flowIds = new RowIds(db, 'flows');
    this.dnsIds = new RowIds(db, 'dns');
    this.lookups = [new LiveRun(db, FLOW_LOOKUP), new LiveRun(db, DNS_LOOKUP)];
    this.flows = new FlowRows(db, this.flowIds, this.dimensions, this.names, this.lookups[0], this.rollups, this.alerts);
    this.dnsRows = new DnsRows(db, this.dnsIds, this.dimensions, this.names, this.lookups[1], this.rollups);
    this.devices = new Devices(db, this.dimensions, this.names, this.alerts);
  }

  /** Flows since the last `begin`. */
  get sums(): RowSums {
    return this.flows;
  }

  /** Starts a batch; what an abandoned one has left is forgotten. */
  begin(): void {
    this.dnsShed = 0;
    this.flows.begin();
    this.dnsRows.begin();
  }

  flow(memory: RecordMemory, payload: number): void {
    const isShed = this.shedder.isShed();
    this.flows.add(memory, payload, isShed);
    if (!isShed) this.shedder.wrote();
  }

  dns(memory: RecordMemory, payload: number): void {
    const isShed = this.shedder.isShed();
    this.dnsRows.add(memory, payload, isShed);
    if (isShed) this.dnsShed++;
    else this.shedder.wrote();
  }

  device(memory: RecordMemory, payload: number): void {
    this.devices.add(memory, payload);
  }

  /** Whether the batch has to end here. */
  get isFull(): boolean {
    return this.shedder.isFull;
  }

  /** Inserts what has not been inserted yet; `isMinuteOver` has the rollups flushed. */
  finish(isMinuteOver: boolean): void {
    this.flows.finish();
    this.dnsRows.finish();
    this.devices.finish();
    this.rollups.finish(isMinuteOver);
  }

  /** The transaction is committed: counts in the writer's block what happened in it. */
  settle(block: ThreadBlock): void {
    const { names } = this;
    const count = (cell: Cell, by: number): void => {
      block.cells[cell] = block.cell(cell) + by;
    };
    count(Cell.AddressesOverflowed, this.dimensions.addresses.settle());
    count(Cell.TextsOverflowed, this.dimensions.texts.settle());
    count(Cell.DevicesForgotten, this.devices.settle());
    count(Cell.NameHits, names.hits);
    count(Cell.NameMisses, names.misses);
    count(Cell.NameEvictions, names.evictions);
    block.cells[Cell.NameAddresses] = names.count;
    count(Cell.DnsShed, this.dnsShed);
    this.dnsShed = 0;
    names.settle();
  }

  /** Rows were rolled back, or it is in doubt whether they are committed: nothing that came with them is taken as given. */
  revert(): void {
    this.flowIds.revert();
    this.dnsIds.revert();
    this.rollups.revert();
    this.alerts.revert();
    this.devices.revert();
    for (const lookup of this.lookups) lookup.revert();
    this.names.revert(this.dimensions.revert());
  }
}
