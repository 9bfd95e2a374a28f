import type { HostBlock } from '../ring/host-block.js';
import { Host, ReducedMode } from '../ring/host-layout.js';

/** Flows that a table may hold while memory is short, per cent of its slots. Freed slots are taken again first, so no further memory is touched. */
const FLOW_TABLE_PERCENT_REDUCED = 50;
/** A chore has 20 ms at a time: this leaves it a twenty-fifth of a core. */
const CHORE_INTERVAL_MS_REDUCED = 500;

/** Tells the threads, through shared memory, what the modes that hold now ask of them. */
export function applyModes(block: HostBlock): void {
  const holds = (mode: ReducedMode): boolean => block.isReduced(mode);
  const areChoresSlowed = holds(ReducedMode.HeatChores) || holds(ReducedMode.LoadChores);
  block.setControl(Host.AreCachesSmall, Number(holds(ReducedMode.MemoryCaches)));
  block.setControl(Host.FlowTablePercent, holds(ReducedMode.MemoryFlowTable) ? FLOW_TABLE_PERCENT_REDUCED : 100);
  block.setControl(Host.AreRollupsCoarser, Number(holds(ReducedMode.MemoryRollups)));
  block.setControl(Host.ChoreIntervalMs, areChoresSlowed ? CHORE_INTERVAL_MS_REDUCED : 0);
  block.setControl(Host.IsPayloadUnread, Number(holds(ReducedMode.LoadPayload)));
}
