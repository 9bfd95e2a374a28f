import koffi from 'koffi';
import { FileSource } from '../../src/capture/file-source.js';
import { type FrameSink, Step } from '../../src/capture/source.js';
import { AppError } from '../../src/errors.js';
import { libcFunction } from '../../src/libc.js';
import { createInterfaceTable, InterfaceTable } from '../../src/ring/interface-table.js';

const LINKTYPE_ETHERNET = 1;
/** An Ethernet header; a network interface sends nothing shorter. */
const FRAME_BYTES_MIN = 14;
const FRAME_BYTES_MAX = 65_535;
const SNAP_BYTES = 262_144;
const BYTES_MAX = 2 ** 31 - 1;

/** PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS of mmap(2). */
const PROTECTION_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;

/** Memory at a place that the kernel can be told. It is never given back: the process ends after it. */
export interface NativeMemory {
  readonly address: number;
  readonly bytes: ArrayBuffer;
}

/** Maps fresh memory. Addresses of user space have at most 52 bits where we run, so a number holds them exactly. */
export function mapMemory(bytes: number): NativeMemory {
  const mmap = libcFunction<bigint | null>(
    'void *mmap(void *address, size_t bytes, int protection, int flags, int fd, int64_t offset)',
  );
  const address = mmap(null, bytes, PROTECTION_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
  if (address === null || BigInt.asIntN(64, address) === -1n)
    throw new AppError('BENCH_RUN_FAILED', `no room for ${bytes} bytes`);
  return { address: Number(address), bytes: koffi.view(address, bytes) };
}

/** Whether a frame can be sent on an Ethernet. */
function isSendable(capturedBytes: number, linkType: number): boolean {
  return linkType === LINKTYPE_ETHERNET && capturedBytes >= FRAME_BYTES_MIN && capturedBytes <= FRAME_BYTES_MAX;
}

/** Counts what is there, so that the memory can be had in one piece. */
class CountingSink implements FrameSink {
  frames = 0;
  bytes = 0;

  frame(_view: DataView, _offset: number, capturedBytes: number, ...rest: readonly number[]): void {
    if (!isSendable(capturedBytes, rest[4] as number)) return;
    this.frames++;
    this.bytes += capturedBytes;
  }
}

/** Copies the frames end to end. */
class LoadingSink implements FrameSink {
  readonly offsets: Uint32Array;
  readonly lengths: Uint32Array;
  private frames = 0;
  private bytes = 0;

  constructor(
    count: number,
    private readonly target: Uint8Array,
  ) {
    this.offsets = new Uint32Array(count);
    this.lengths = new Uint32Array(count);
  }

  frame(view: DataView, offset: number, capturedBytes: number, ...rest: readonly number[]): void {
    if (!isSendable(capturedBytes, rest[4] as number)) return;
    this.target.set(new Uint8Array(view.buffer, view.byteOffset + offset, capturedBytes), this.bytes);
    this.offsets[this.frames] = this.bytes;
    this.lengths[this.frames] = capturedBytes;
    this.bytes += capturedBytes;
    this.frames++;
  }
}

async function readAll(path: string, sink: FrameSink): Promise<void> {
  const source = new FileSource({ paths: [path], snapBytes: SNAP_BYTES });
  source.open(sink, new InterfaceTable(createInterfaceTable()));
  try {
    while ((await source.step(0)) !== Step.End);
  } finally {
    source.close();
  }
}

/** The Ethernet frames of a capture file in memory: frame `i` is `lengths[i]` bytes at `address + offsets[i]`. */
export interface LoadedFrames {
  readonly address: number;
  readonly offsets: Uint32Array;
  readonly lengths: Uint32Array;
}

/** Loads a capture file of any kind that flowberry reads. Throws `INPUT_*`, or `USAGE` when it has no Ethernet frames. */
export async function loadFrames(path: string): Promise<LoadedFrames> {
  const counted = new CountingSink();
  await readAll(path, counted);
  if (counted.frames === 0) throw new AppError('USAGE', `${path} has no Ethernet frames that could be sent`);
  if (counted.bytes > BYTES_MAX) throw new AppError('USAGE', `${path} is too large to be sent: at most 2 GiB of frames`);
  const memory = mapMemory(counted.bytes);
  const loaded = new LoadingSink(counted.frames, new Uint8Array(memory.bytes));
  await readAll(path, loaded);
  return { address: memory.address, offsets: loaded.offsets, lengths: loaded.lengths };
}
