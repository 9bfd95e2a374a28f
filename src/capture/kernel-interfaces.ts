import type { InterfaceTable } from '../ring/interface-table.js';
import { monotonicMs } from '../ring/thread-block.js';

/** An interface may be renamed, and a number be given again after a long time. */
const FORGET_MS = 10_000;
/** Containers come and go, each with interfaces of their own. */
const KNOWN_MAX = 4096;

/** Places in the interface table by the numbers that the kernel gives to interfaces, for frames of many of them. */
export class KernelInterfaces {
  private readonly known = new Map<number, number>();
  private forgetMs = 0;

  /** `nameOf` asks the kernel for the name of an interface, null when there is none of that number (any more). */
  constructor(
    private readonly table: InterfaceTable,
    private readonly linkType: number,
    private readonly nameOf: (kernelIndex: number) => string | null,
  ) {}

  /** Allocates nothing for an interface that is known. */
  readonly indexOf = (kernelIndex: number): number => {
    const index = this.known.get(kernelIndex);
    return index === undefined ? this.add(kernelIndex) : index;
  };

  /** To be called now and then: names are asked for anew every 10 s. */
  refresh(): void {
    const nowMs = monotonicMs();
    if (nowMs < this.forgetMs) return;
    this.forgetMs = nowMs + FORGET_MS;
    this.known.clear();
  }

  private add(kernelIndex: number): number {
    if (this.known.size >= KNOWN_MAX) this.known.clear();
    const index = this.table.indexOf(this.nameOf(kernelIndex) ?? `interface-${kernelIndex}`, this.linkType);
    this.known.set(kernelIndex, index);
    return index;
  }
}
