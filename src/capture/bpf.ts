import koffi from 'koffi';
import { AppError } from '../errors.js';
import { LinkType } from '../wire/link-type.js';

/** libpcap by the names that Debian, other distributions, its development package and macOS give it. */
const LIBRARY_NAMES = ['libpcap.so.0.8', 'libpcap.so.1', 'libpcap.so', '/usr/lib/libpcap.A.dylib'] as const;

/** The kernel takes no longer program (BPF_MAXINSNS in linux/bpf_common.h). */
const INSTRUCTIONS_MAX = 4096;
const INSTRUCTION_BYTES = 8;
const ERROR_TEXT_BYTES = 256;
const NETMASK_UNKNOWN = 0xffffffff;
/** Opcode of `ret #k`: BPF_RET | BPF_K. */
const RETURN_CONSTANT = 0x06;

type Pcap = bigint | null;

interface Libpcap {
  readonly create: (device: string, errorText: Uint8Array) => Pcap;
  readonly setSnapLength: (pcap: Pcap, bytes: number) => number;
  readonly setBufferSize: (pcap: Pcap, bytes: number) => number;
  readonly activate: (pcap: Pcap) => number;
  readonly openDead: (dlt: number, snapBytes: number) => Pcap;
  readonly dataLink: (pcap: Pcap) => number;
  readonly compile: (pcap: Pcap, program: Uint8Array, expression: string, optimize: number, netmask: number) => number;
  readonly freeCode: (program: Uint8Array) => void;
  readonly errorText: (pcap: Pcap) => string;
  readonly close: (pcap: Pcap) => void;
}

let loaded: Libpcap | undefined;

function loadLibrary(): ReturnType<typeof koffi.load> {
  const failures: string[] = [];
  for (const name of LIBRARY_NAMES) {
    try {
      return koffi.load(name);
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
  throw new AppError('LIBPCAP_MISSING', `a capture filter needs libpcap, which cannot be loaded: ${failures[0]}`);
}

function libpcap(): Libpcap {
  if (loaded) return loaded;
  const library = loadLibrary();
  loaded = {
    create: library.func('void *pcap_create(const char *device, void *errorText)'),
    setSnapLength: library.func('int pcap_set_snaplen(void *pcap, int bytes)'),
    setBufferSize: library.func('int pcap_set_buffer_size(void *pcap, int bytes)'),
    activate: library.func('int pcap_activate(void *pcap)'),
    openDead: library.func('void *pcap_open_dead(int dlt, int snapBytes)'),
    dataLink: library.func('int pcap_datalink(void *pcap)'),
    compile: library.func('int pcap_compile(void *pcap, void *program, const char *expression, int optimize, uint32_t netmask)'),
    freeCode: library.func('void pcap_freecode(void *program)'),
    errorText: library.func('const char *pcap_geterr(void *pcap)'),
    close: library.func('void pcap_close(void *pcap)'),
  };
  return loaded;
}

/** Whether capture filters can be compiled on this machine. */
export function canCompileFilters(): boolean {
  try {
    libpcap();
    return true;
  } catch {
    return false;
  }
}

/** What a filter is compiled for. */
export interface FilterTarget {
  /** An Ethernet interface, or null to compile for frames of a file. */
  readonly interface: string | null;
  readonly linkType: number;
  /** The kernel keeps so many bytes of a frame that passes. */
  readonly snapBytes: number;
}

/**
 * Opens what libpcap compiles against. For an Ethernet interface that is the interface itself: the kernel takes the outer VLAN
 * tag out of a frame before the filter runs, and only for a live handle does libpcap write code that looks where the tag went.
 * The handle is never read and is closed after the compilation.
 */
function openTarget(pcap: Libpcap, target: FilterTarget): { handle: Pcap; isLive: boolean } {
  if (target.interface !== null && target.linkType === LinkType.Ethernet) {
    const handle = pcap.create(target.interface, new Uint8Array(ERROR_TEXT_BYTES));
    if (handle !== null) {
      pcap.setSnapLength(handle, 256);
      pcap.setBufferSize(handle, 65_536);
      if (pcap.activate(handle) >= 0 && pcap.dataLink(handle) === LinkType.Ethernet) return { handle, isLive: true };
      pcap.close(handle);
    }
  }
  // In memory, libpcap numbers raw IP otherwise than in files.
  const dlt = target.linkType === LinkType.Raw ? LinkType.RawBsd : target.linkType;
  return { handle: pcap.openDead(dlt, target.snapBytes), isLive: false };
}

/**
 * Compiles a pcap-filter expression to a classic BPF program for the kernel, 8 bytes per instruction. Throws
 * `CAPTURE_FILTER_INVALID` with libpcap's own words, `LIBPCAP_MISSING` when there is no libpcap, and `INTERFACE_DOWN` for a filter
 * on VLANs while the interface is down, since such a filter can only be compiled for an interface that is up.
 */
export function compileFilter(expression: string, target: FilterTarget): Uint8Array {
  const pcap = libpcap();
  const { handle, isLive } = openTarget(pcap, target);
  if (handle === null) throw new AppError('CAPTURE_FAILED', `libpcap knows no link type ${target.linkType}`);
  try {
    if (target.interface !== null && target.linkType === LinkType.Ethernet && !isLive && /\bvlan\b/.test(expression))
      throw new AppError('INTERFACE_DOWN', `${target.interface} is down: the filter "${expression}" cannot be compiled for it`);
    const program = new Uint8Array(2 * koffi.sizeof('void *'));
    if (pcap.compile(handle, program, expression, 1, NETMASK_UNKNOWN) < 0)
      throw new AppError('CAPTURE_FILTER_INVALID', `the filter "${expression}" is not valid: ${pcap.errorText(handle)}`);
    try {
      return copyProgram(program, expression, target.snapBytes);
    } finally {
      pcap.freeCode(program);
    }
  } finally {
    pcap.close(handle);
  }
}

/** Ancillary data of a frame that is being filtered (linux/filter.h), and what is compared. */
const ANCILLARY_PACKET_TYPE = 0xfffff004;
const ANCILLARY_HARDWARE_TYPE = 0xfffff01c;
const HARDWARE_LOOPBACK = 772;
const PACKET_OUTGOING = 4;
/** BPF_LD | BPF_W | BPF_ABS and BPF_JMP | BPF_JEQ | BPF_K. */
const LOAD_WORD = 0x20;
const JUMP_IF_EQUAL = 0x15;

/**
 * Puts a test before `program`: what the loopback interface sends is refused, since it comes in there as well and would be seen
 * twice. For a socket that receives from all interfaces; one that is bound to the loopback interface has an option for it.
 */
export function refuseLoopbackOutgoing(program: Uint8Array): Uint8Array {
  // Operation, jumps if equal and if not, constant.
  const test: [number, number, number, number][] = [
    [LOAD_WORD, 0, 0, ANCILLARY_HARDWARE_TYPE],
    [JUMP_IF_EQUAL, 0, 3, HARDWARE_LOOPBACK],
    [LOAD_WORD, 0, 0, ANCILLARY_PACKET_TYPE],
    [JUMP_IF_EQUAL, 0, 1, PACKET_OUTGOING],
    [RETURN_CONSTANT, 0, 0, 0],
  ];
  const whole = new Uint8Array(test.length * INSTRUCTION_BYTES + program.byteLength);
  const codes = new Uint16Array(whole.buffer);
  const constants = new Uint32Array(whole.buffer);
  test.forEach(([operation, ifEqual, ifNot, constant], index) => {
    codes[index * 4] = operation;
    whole[index * INSTRUCTION_BYTES + 2] = ifEqual;
    whole[index * INSTRUCTION_BYTES + 3] = ifNot;
    constants[index * 2 + 1] = constant;
  });
  whole.set(program, test.length * INSTRUCTION_BYTES);
  return whole;
}

/** Link types whose filters have words of their own: an expression is sound if it is so for one of them. */
const LINK_TYPES_OF_WORDS = [LinkType.Ethernet, LinkType.Raw, LinkType.Ieee80211Radiotap] as const;

/**
 * Checks an expression before the interface that it is for is known. Throws `CAPTURE_FILTER_INVALID` or `LIBPCAP_MISSING`, as
 * `compileFilter` does.
 */
export function checkFilterWords(expression: string): void {
  let failure: unknown;
  for (const linkType of LINK_TYPES_OF_WORDS) {
    try {
      compileFilter(expression, { interface: null, linkType, snapBytes: 65_535 });
      return;
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

/** Copies a `struct bpf_program` (count, then pointer) and makes every accepting `ret` keep `snapBytes`. */
function copyProgram(program: Uint8Array, expression: string, snapBytes: number): Uint8Array {
  const count = new Uint32Array(program.buffer)[0] as number;
  if (count > INSTRUCTIONS_MAX)
    throw new AppError(
      'CAPTURE_FILTER_INVALID',
      `the filter "${expression}" takes ${count} instructions; the most are ${INSTRUCTIONS_MAX}`,
    );
  const address = program.byteLength === 16 ? new BigUint64Array(program.buffer)[1] : new Uint32Array(program.buffer)[1];
  const copy = new Uint8Array(koffi.view(address, count * INSTRUCTION_BYTES)).slice();
  const codes = new Uint16Array(copy.buffer);
  const constants = new Uint32Array(copy.buffer);
  for (let index = 0; index < count; index++)
    if (codes[index * 4] === RETURN_CONSTANT && constants[index * 2 + 1] !== 0) constants[index * 2 + 1] = snapBytes;
  return copy;
}

/** The program that takes every frame and keeps `snapBytes` of it; needs no libpcap. */
export function acceptAll(snapBytes: number): Uint8Array {
  const program = new Uint8Array(INSTRUCTION_BYTES);
  new Uint16Array(program.buffer)[0] = RETURN_CONSTANT;
  new Uint32Array(program.buffer)[1] = snapBytes;
  return program;
}
