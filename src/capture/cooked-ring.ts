import { LinkType } from '../wire/link-type.js';
import { AfpacketRing, Packet, type RingPosition, type RingProgress } from './afpacket-ring.js';
import type { FrameSink } from './source.js';

/** Where the address of a packet (`sockaddr_ll`) stands behind its header: interface and hardware type, in 32 and 16 bits. */
const enum Address {
  ProtocolHalfword = 25,
  InterfaceWord = 13,
  HardwareHalfword = 28,
  /** Packet type and length of the hardware address, 8 bits each; the address itself follows. */
  TypeByte = 58,
  AddressByte = 60,
  AddressBytes = 8,
}

/** The header that is written before each packet, as LINKTYPE_LINUX_SLL2 describes it. All numbers are big-endian. */
const enum Sll2 {
  Protocol = 0,
  Reserved = 2,
  InterfaceIndex = 4,
  HardwareType = 8,
  PacketType = 10,
  Address = 12,
  Bytes = 20,
}

const VLAN_TAG_BYTES = 4;
const VLAN_TPID_DEFAULT = 0x8100;

/** Bytes to be left free before each packet: the header, and a VLAN tag behind it. */
export const COOKED_RESERVE_BYTES = Sll2.Bytes + VLAN_TAG_BYTES;

/**
 * Walks a ring of packets from all interfaces. The kernel hands them over without their link headers, which differ from one
 * interface to the next; each is given a header of LINKTYPE_LINUX_SLL2 instead, which counts as part of the frame, as it does in the
 * files of other programs. The kernel must have been asked for `COOKED_RESERVE_BYTES`.
 */
export class CookedRing extends AfpacketRing {
  /** `interfaceIndexOf` gives the place in the interface table of the interface that the kernel numbers so. */
  constructor(
    memory: ArrayBuffer,
    blockBytes: number,
    snapBytes: number,
    private readonly interfaceIndexOf: (kernelIndex: number) => number,
    progress: RingProgress | null = null,
    position?: RingPosition,
  ) {
    super(
      memory,
      blockBytes,
      { interfaceIndex: 0, linkType: LinkType.LinuxSll2, isEthernet: false, snapBytes },
      progress,
      position,
    );
  }

  protected override handOver(sink: FrameSink, packet: number, offset: number): void {
    const { view, words, halfwords } = this;
    const { snapBytes } = this.frames;
    let start = offset;
    const status = words[packet + Packet.StatusWord] as number;
    // In network byte order, as it stands in the frame.
    let protocol = view.getUint16((packet << 2) + Address.ProtocolHalfword * 2);
    if ((status & Packet.StatusVlan) !== 0) {
      start -= VLAN_TAG_BYTES;
      view.setUint16(start, (words[packet + Packet.VlanTciWord] as number) & 0xffff);
      view.setUint16(start + 2, protocol);
      const hasTpid = (status & Packet.StatusVlanTpid) !== 0;
      protocol = hasTpid ? (halfwords[(packet << 1) + Packet.VlanTpidHalfword] as number) : VLAN_TPID_DEFAULT;
    }
    start -= Sll2.Bytes;
    const kernelIndex = words[packet + Address.InterfaceWord] as number;
    view.setUint16(start + Sll2.Protocol, protocol);
    view.setUint16(start + Sll2.Reserved, 0);
    view.setUint32(start + Sll2.InterfaceIndex, kernelIndex);
    view.setUint16(start + Sll2.HardwareType, halfwords[(packet << 1) + Address.HardwareHalfword] as number);
    view.setUint16(start + Sll2.PacketType, view.getUint16((packet << 2) + Address.TypeByte));
    for (let index = 0; index < Address.AddressBytes; index += 4)
      view.setUint32(start + Sll2.Address + index, view.getUint32((packet << 2) + Address.AddressByte + index));
    const addedBytes = offset - start;
    const captured = (words[packet + Packet.CapturedWord] as number) + addedBytes;
    sink.frame(
      view,
      start,
      captured < snapBytes ? captured : snapBytes,
      (words[packet + Packet.WireWord] as number) + addedBytes,
      words[packet + Packet.SecondsWord] as number,
      words[packet + Packet.NanosecondsWord] as number,
      this.interfaceIndexOf(kernelIndex),
      LinkType.LinuxSll2,
    );
  }
}
