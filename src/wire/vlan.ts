import { EtherType } from './ether-type.js';

/** Bytes of a tag behind its EtherType (IEEE 802.1Q section 9.6): priority and id, then the EtherType of what follows. */
export const VLAN_TAG_BYTES = 4;

/** Whether a VLAN tag follows this EtherType. */
export function isVlanTag(etherType: number): boolean {
  return etherType === EtherType.Vlan || etherType === EtherType.ServiceVlan || etherType === EtherType.OldServiceVlan;
}

/** VLAN id, 0–4095. The caller guarantees `VLAN_TAG_BYTES` from `offset`. */
export function vlanIdAt(view: DataView, offset: number): number {
  return view.getUint16(offset) & 0x0fff;
}

/** EtherType of what the tag carries. The caller guarantees `VLAN_TAG_BYTES` from `offset`. */
export function vlanInnerTypeAt(view: DataView, offset: number): number {
  return view.getUint16(offset + 2);
}
