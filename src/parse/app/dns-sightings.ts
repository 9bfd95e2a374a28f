import { DeviceSource } from '../../ring/name-records.js';
import type { Packet } from '../../wire/packet.js';
import type { DeviceSightings } from './device-sightings.js';
import { DnsName } from './dns-name.js';
import type { DnsRecords } from './dns-records.js';
import { DnsClass, DnsType } from './dns-type.js';
import { emptySighting, takeIpv4, takeIpv6 } from './sighting-fields.js';

const IPV4_BYTES = 4;
const IPV6_BYTES = 16;

/** Hands over the devices that messages name. Allocates nothing, apart from the constructor. */
export class DnsSightings {
  private readonly owner = new DnsName();
  private source: DeviceSource = DeviceSource.Mdns;
  private packet: Packet | null = null;
  private us = 0;
  private interfaceIndex = 0;
  private macHigh = 0;
  private macLow = 0;

  constructor(private readonly sightings: DeviceSightings) {}

  /** The packet from which the sightings that follow are; the sender's hardware address is 0 where it is not known. */
  setPacket(source: DeviceSource, packet: Packet, us: number, interfaceIndex: number, macHigh: number, macLow: number): void {
    this.source = source;
    this.packet = packet;
    this.us = us;
    this.interfaceIndex = interfaceIndex;
    this.macHigh = macHigh;
    this.macLow = macLow;
  }

  /**
   * Takes every address in the records of a response, whatever the section, with the name that it belongs to. A time to live of 0 says
   * that the address is given up (RFC 6762 section 10.1).
   */
  takeAddresses(view: DataView, records: DnsRecords): void {
    records.rewind();
    while (records.next()) {
      const bytes = records.dataEnd - records.dataOffset;
      const isIpv4 = records.type === DnsType.A && bytes === IPV4_BYTES;
      if (!isIpv4 && (records.type !== DnsType.Aaaa || bytes !== IPV6_BYTES)) continue;
      if ((records.class & DnsClass.Mask) !== DnsClass.Internet || records.ttlS === 0) continue;
      if (records.readOwner(this.owner)) this.see(view, records.dataOffset, isIpv4, this.owner);
    }
  }

  /** Takes an address that lies at `offset`, if it is one that a host can have. Its hardware address is known if it is the sender's. */
  see(view: DataView, offset: number, isIpv4: boolean, name: DnsName): void {
    const { packet } = this;
    const sighting = emptySighting(this.source, this.us, this.interfaceIndex);
    if (!(isIpv4 ? takeIpv4(view, offset, sighting) : takeIpv6(view, offset, sighting))) return;
    for (let i = 0; i < name.length; i++) sighting.name[i] = name.bytes[i] as number;
    sighting.nameBytes = name.length;
    if (
      packet !== null &&
      packet.ipVersion === sighting.ipVersion &&
      packet.src3 === sighting.address3 &&
      packet.src2 === sighting.address2 &&
      packet.src1 === sighting.address1 &&
      packet.src0 === sighting.address0
    ) {
      sighting.macHigh = this.macHigh;
      sighting.macLow = this.macLow;
    }
    this.sightings.see(sighting);
  }
}
