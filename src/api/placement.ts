import { readFileSync } from 'node:fs';

/** Where the kernel has put a thread. */
export interface Placement {
  /** Name as the kernel knows it, at most 15 characters. */
  readonly kernelName: string;
  /** CPUs that the thread may run on, such as `2-3`. */
  readonly cpus: string;
}

/**
 * Reads name and CPU mask of one thread of this process from proc(5). Null where there is no such thread or no procfs.
 */
function readPlacement(taskId: number): Placement | null {
  let status: string;
  try {
    status = readFileSync(`/proc/self/task/${taskId}/status`, 'latin1');
  } catch {
    // The thread has just ended, or this is no Linux.
    return null;
  }
  const kernelName = /^Name:\t(.*)$/m.exec(status)?.[1];
  const cpus = /^Cpus_allowed_list:\t(.*)$/m.exec(status)?.[1];
  return kernelName !== undefined && cpus !== undefined ? { kernelName, cpus } : null;
}

/**
 * Names and CPU masks of the threads as the kernel reports them, so that operators see what holds and not what was asked for.
 * They are read once a second beside the requests, so that an answer never waits for a system call.
 */
export class Placements {
  private byTaskId = new Map<number, Placement>();

  /** Reads them anew; forgets the threads that are gone. */
  refresh(taskIds: Iterable<number>): void {
    const found = new Map<number, Placement>();
    for (const taskId of taskIds) {
      const placement = readPlacement(taskId);
      if (placement) found.set(taskId, placement);
    }
    this.byTaskId = found;
  }

  /** The last known placement, or null. */
  of(taskId: number): Placement | null {
    return this.byTaskId.get(taskId) ?? null;
  }
}
