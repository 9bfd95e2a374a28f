import { readdirSync, readFileSync } from 'node:fs';
import { libcFunction } from '../libc.js';
import { Drop } from '../ring/drop-reason.js';
import { Cell, type ThreadBlock } from '../ring/thread-block.js';
import { PacketSocket } from './packet-socket.js';

/** A mapped packet ring in proc(5)'s maps: `START-END rw-s OFFSET DEVICE INODE socket:[INODE]`. */
const MAPPED_SOCKET = /^([0-9a-f]+)-([0-9a-f]+) .* socket:\[\d+\]$/gm;

/**
 * Clears up behind a capture thread that died: its sockets and their rings belong to the process and live on, and the kernel would go
 * on filling them. All packet sockets of the process are taken for its own, so call this in the one thread that captures, before it
 * opens any. What the kernel had counted for them and nobody had read is counted as received and as `capture_crash`.
 */
export function settleWithPredecessor(block: ThreadBlock): void {
  const { cells } = block;
  for (const fd of readdirSync('/proc/self/fd').map(Number)) {
    if (!PacketSocket.isPacketSocket(fd)) continue;
    const socket = new PacketSocket(fd);
    socket.refreshStatistics();
    cells[Cell.KernelPackets] = block.cell(Cell.KernelPackets) + socket.kernelPackets;
    cells[Cell.KernelDropped] = block.cell(Cell.KernelDropped) + socket.kernelDropped;
    socket.close();
  }
  unmapRings();
  const unread = block.cell(Cell.KernelPackets) - block.cell(Cell.KernelDropped) - block.cell(Cell.FramesReceived);
  if (unread < 0) {
    // It died between asking the kernel, which forgets what it has told, and counting the answer.
    cells[Cell.KernelPackets] = block.cell(Cell.KernelPackets) - unread;
    return;
  }
  cells[Cell.FramesReceived] = block.cell(Cell.FramesReceived) + unread;
  cells[Cell.Drops + Drop.CaptureCrash] = (cells[Cell.Drops + Drop.CaptureCrash] as number) + unread;
}

/** A socket whose ring is mapped stays open. */
function unmapRings(): void {
  const munmap = libcFunction('int munmap(void *address, size_t bytes)');
  for (const [, start, end] of readFileSync('/proc/self/maps', 'latin1').matchAll(MAPPED_SOCKET)) {
    const address = BigInt(`0x${start}`);
    munmap(address, Number(BigInt(`0x${end}`) - address));
  }
}
