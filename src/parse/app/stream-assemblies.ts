import { StreamAssembly } from './stream-assembly.js';

/** Bytes of one direction that a parser may wait for: more than any ClientHello or request head that servers take. */
export const STREAM_BYTES_MAX = 16_384;
/**
 * Segments that a stream may wait through before a parser takes something. A parser reads from the start again with each of them, so
 * a stream that comes byte by byte would cost more than it is worth.
 */
export const STREAM_SEGMENTS_MAX = 32;
/** Streams that wait for bytes at a time; beyond them, the one that has waited longest is given up. 1 MiB in all. */
const ASSEMBLIES_MAX = 64;

/** The streams of one worker that wait for bytes. A dead worker takes them with it; their flows then stay without names. */
export class StreamAssemblies {
  private readonly byOwner = new Map<number, StreamAssembly>();
  private readonly free: StreamAssembly[] = [];
  private made = 0;

  /** The assembly of `owner`, a number of the caller's; undefined if it has none, or has it no longer. */
  find(owner: number): StreamAssembly | undefined {
    return this.byOwner.get(owner);
  }

  /** An empty assembly for `owner`; one that it had before is gone. */
  open(owner: number): StreamAssembly {
    this.close(owner);
    const assembly = this.take();
    assembly.clear();
    this.byOwner.set(owner, assembly);
    return assembly;
  }

  close(owner: number): void {
    const assembly = this.byOwner.get(owner);
    if (assembly === undefined) return;
    this.byOwner.delete(owner);
    this.free.push(assembly);
  }

  private take(): StreamAssembly {
    if (this.free.length === 0 && this.made === ASSEMBLIES_MAX) this.close(this.byOwner.keys().next().value as number);
    const free = this.free.pop();
    if (free !== undefined) return free;
    this.made++;
    return new StreamAssembly(STREAM_BYTES_MAX);
  }
}
