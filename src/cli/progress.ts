import type { PipelineMemory } from '../messages.js';
import { Cell, ThreadBlock } from '../ring/thread-block.js';

const INTERVAL_MS = 200;
const BAR_WIDTH = 30;
const CLEAR_LINE = '\r\x1b[K';

/** Draws a progress bar on standard error while a replay runs, if that is a terminal. Returns a function that takes it away. */
export function showProgress(memory: PipelineMemory): () => void {
  if (!process.stderr.isTTY) return () => undefined;
  const block = new ThreadBlock(memory.capture);
  const timer = setInterval(() => process.stderr.write(`${CLEAR_LINE}${line(block)}`), INTERVAL_MS);
  return () => {
    clearInterval(timer);
    process.stderr.write(CLEAR_LINE);
  };
}

function line(block: ThreadBlock): string {
  const read = block.cell(Cell.InputBytesRead);
  const total = block.cell(Cell.InputBytesTotal);
  const packets = `${block.cell(Cell.FramesReceived).toLocaleString('en-US')} packets`;
  if (total === 0) return packets;
  const share = Math.min(1, read / total);
  const filled = Math.round(share * BAR_WIDTH);
  return `[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}] ${String(Math.floor(share * 100)).padStart(3)} %  ${packets}`;
}
