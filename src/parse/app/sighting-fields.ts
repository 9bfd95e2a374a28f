import type { DeviceSource } from '../../ring/name-records.js';
import { Sighting } from './device-sightings.js';

/** Group addresses (IEEE 802): the lowest bit of the first byte. */
const GROUP_BIT = 0x0100;
const IPV4_MULTICAST_FIRST = 0xe000_0000;
const IPV6_MULTICAST = 0xff00_0000;

/** A sighting with nothing in it but where and when. The readers of one thread share it, since it is copied at once. */
const scratch = new Sighting();

/** The scratch sighting, empty: no hardware address, no address, no name. Allocates nothing. */
export function emptySighting(source: DeviceSource, us: number, interfaceIndex: number): Sighting {
  scratch.source = source;
  scratch.us = us;
  scratch.interfaceIndex = interfaceIndex;
  scratch.macHigh = 0;
  scratch.macLow = 0;
  scratch.nameBytes = 0;
  forgetAddress(scratch);
  return scratch;
}

export function forgetAddress(sighting: Sighting): void {
  sighting.ipVersion = 0;
  setAddress(sighting, 0, 0, 0, 0);
}

function setAddress(sighting: Sighting, word0: number, word1: number, word2: number, word3: number): void {
  sighting.address0 = word0;
  sighting.address1 = word1;
  sighting.address2 = word2;
  sighting.address3 = word3;
}

/** Takes the six bytes at `offset` unless they are zero or a group's address. The caller has checked the bounds, as in all of these. */
export function takeMac(view: DataView, offset: number, sighting: Sighting): boolean {
  const high = view.getUint16(offset);
  const low = view.getInt32(offset + 2);
  if ((high & GROUP_BIT) !== 0 || (high === 0 && low === 0)) return false;
  sighting.macHigh = high;
  sighting.macLow = low;
  return true;
}

/** Takes the four bytes at `offset` unless no host can have that address: 0.0.0.0, multicast, broadcast. */
export function takeIpv4(view: DataView, offset: number, sighting: Sighting): boolean {
  const address = view.getUint32(offset);
  if (address === 0 || address >= IPV4_MULTICAST_FIRST) return false;
  sighting.ipVersion = 4;
  setAddress(sighting, 0, 0, 0, address | 0);
  return true;
}

/** Takes four words unless no host can have that address: unspecified, loopback, multicast. */
export function takeIpv6Words(word0: number, word1: number, word2: number, word3: number, sighting: Sighting): boolean {
  if ((word0 | word1 | word2) === 0 && word3 >>> 0 <= 1) return false;
  if (word0 >>> 0 >= IPV6_MULTICAST) return false;
  sighting.ipVersion = 6;
  setAddress(sighting, word0, word1, word2, word3);
  return true;
}

/** Takes the 16 bytes at `offset` in the same way. */
export function takeIpv6(view: DataView, offset: number, sighting: Sighting): boolean {
  return takeIpv6Words(
    view.getInt32(offset),
    view.getInt32(offset + 4),
    view.getInt32(offset + 8),
    view.getInt32(offset + 12),
    sighting,
  );
}
