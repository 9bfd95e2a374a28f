import { readFileSync } from 'node:fs';
import type { PipelineMemory } from './messages.js';
import { Thread } from './ring/layout.js';

/**
 * CPU time of the threads of this process in ns by stage, those of one kind added up; null where the system does not tell. The
 * threads must still be there.
 */
export function cpuNsByStage({ capture, parse, writer }: PipelineMemory): Record<string, number> | null {
  const sum = (blocks: readonly SharedArrayBuffer[]): number => blocks.reduce((total, block) => total + cpuNs(block), 0);
  try {
    return { capture: sum([capture]), parse: sum(parse), writer: sum([writer]) };
  } catch {
    // Another system, or a kernel without scheduler statistics.
    return null;
  }
}

/** The first figure of `schedstat` is the time on a CPU (Documentation/scheduler/sched-stats). */
function cpuNs(block: SharedArrayBuffer): number {
  const taskId = new Int32Array(block)[Thread.TaskId] as number;
  return Number(readFileSync(`/proc/self/task/${taskId}/schedstat`, 'utf8').split(' ')[0]);
}
