import { BUDGET_STEPS } from '../ring/budget-step.js';
import { Cell } from '../ring/thread-block.js';

/** Bytes written to disks, as the writer shows them. Null where the kernel does not tell. */
export interface IoSnapshot {
  /** Since the process began, all its threads together. */
  readonly processBytes: number | null;
  /** Within the last 60 s, since midnight UTC, and in all runs on this database. */
  readonly minuteBytes: number | null;
  readonly todayBytes: number | null;
  readonly totalBytes: number | null;
  /** The same by everybody to the disk on which the database lies. */
  readonly deviceMinuteBytes: number | null;
  readonly deviceTodayBytes: number | null;
  readonly deviceTotalBytes: number | null;
  /** Rows of flows and seconds of running behind the totals. */
  readonly totalFlows: number;
  readonly totalSeconds: number;
  /** Of the last 60 whole minutes: how many are known, their bytes, the greatest. */
  readonly hour: { readonly minutes: number; readonly bytes: number; readonly bytesMax: number };
}

/** What the writer does so that less is written. */
export interface BudgetSnapshot {
  readonly step: (typeof BUDGET_STEPS)[number];
  /** How often each step was taken, and how often the hard limit made rows wait. */
  readonly largerBatches: number;
  readonly coarserRollups: number;
  readonly shedding: number;
  readonly hardStops: number;
  /** Looks at rows that were due and had to wait. */
  readonly held: number;
  /** Flows that were counted and have no row, what they carried, and DNS transactions. */
  readonly flowsShed: number;
  readonly packetsShed: number;
  readonly ipBytesShed: number;
  readonly wireBytesShed: number;
  readonly dnsShed: number;
}

type ReadCell = (cell: Cell) => number;

export function readIo(cell: ReadCell): IoSnapshot {
  const known = (which: Cell): number | null => (cell(which) < 0 ? null : cell(which));
  return {
    processBytes: known(Cell.IoProcessBytes),
    minuteBytes: known(Cell.IoMinuteBytes),
    todayBytes: known(Cell.IoTodayBytes),
    totalBytes: known(Cell.IoTotalBytes),
    deviceMinuteBytes: known(Cell.IoDeviceMinuteBytes),
    deviceTodayBytes: known(Cell.IoDeviceTodayBytes),
    deviceTotalBytes: known(Cell.IoDeviceTotalBytes),
    totalFlows: cell(Cell.IoTotalFlows),
    totalSeconds: cell(Cell.IoTotalSeconds),
    hour: { minutes: cell(Cell.IoHourMinutes), bytes: cell(Cell.IoHourBytes), bytesMax: cell(Cell.IoHourBytesMax) },
  };
}

export function readBudget(cell: ReadCell): BudgetSnapshot {
  return {
    step: BUDGET_STEPS[cell(Cell.BudgetStep)] ?? 'none',
    largerBatches: cell(Cell.BudgetStepsLargerBatches),
    coarserRollups: cell(Cell.BudgetStepsCoarserRollups),
    shedding: cell(Cell.BudgetStepsShedding),
    hardStops: cell(Cell.BudgetHardStops),
    held: cell(Cell.BatchesHeld),
    flowsShed: cell(Cell.FlowsShed),
    packetsShed: cell(Cell.PacketsShed),
    ipBytesShed: cell(Cell.IpBytesShed),
    wireBytesShed: cell(Cell.WireBytesShed),
    dnsShed: cell(Cell.DnsShed),
  };
}
