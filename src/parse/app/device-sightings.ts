import { RecordKind } from '../../ring/layout.js';
import { Device, DeviceSource } from '../../ring/name-records.js';
import { hashBytes, mixWord } from './dns-hash.js';
import type { RecordSink } from './record-sink.js';

/** What a packet told of a device; one instance is reused, and `see` copies what it needs. */
export class Sighting {
  source: DeviceSource = DeviceSource.Arp;
  /** Hardware address: the upper 16 bits, then the lower 32 as a signed word. Both 0 where it is not known. */
  macHigh = 0;
  macLow = 0;
  /** 4 or 6, or 0 where the address is not known; its words are as in a `Packet`. */
  ipVersion = 0;
  address0 = 0;
  address1 = 0;
  address2 = 0;
  address3 = 0;
  /** Escaped ASCII in the first `nameBytes` bytes; 0 for none. */
  readonly name: Uint8Array = new Uint8Array(Device.NameBytesMax);
  nameBytes = 0;
  /** Packet time, µs since 1970. */
  us = 0;
  interfaceIndex = 0;
}

/** The same device is reported again after so long. */
const REPEAT_US = 300e6;
const REMEMBERED_BITS = 10;
const REMEMBERED_MAX = 1 << REMEMBERED_BITS;

/** Words of what is remembered of a sighting; of the name, length and hash stand for it. */
const enum Seen {
  MacHigh = 0,
  MacLow = 1,
  IpVersion = 2,
  Address = 3,
  NameBytes = 7,
  NameHash = 8,
  Words = 9,
}

/**
 * Hands sightings of devices to the sink, each (hardware address, address, name) once in 300 s of packet time, whatever its source.
 * 1,024 sightings are remembered by their hash; where two meet, the newer one stays, and the older one is reported again when it
 * comes. Allocates nothing per sighting.
 */
export class DeviceSightings {
  private readonly words = new Int32Array((Device.HeaderBytes + Device.NameBytesMax + 3) >> 2);
  private readonly bytes = new Uint8Array(this.words.buffer);
  private readonly seenUs = new Float64Array(this.words.buffer, Device.SeenUsF64 * 8, 1);
  private readonly key = new Int32Array(Seen.Words);
  private readonly seen = new Int32Array(Seen.Words * REMEMBERED_MAX);
  private readonly reportedUs = new Float64Array(REMEMBERED_MAX).fill(Number.NEGATIVE_INFINITY);

  constructor(private readonly sink: RecordSink) {}

  /** Takes a sighting, of which at least one of hardware address, address and name should be known. */
  see(sighting: Sighting): void {
    const index = this.setKey(sighting);
    // Packet time may go back, as between two files; then what was reported long before counts as little as what was long after.
    const age = Math.abs(sighting.us - (this.reportedUs[index] as number));
    if (age < REPEAT_US && this.isRemembered(index)) return;
    this.seen.set(this.key, index * Seen.Words);
    this.reportedUs[index] = sighting.us;
    this.emit(sighting);
  }

  /** Sets the key, and returns where it is remembered if it is. */
  private setKey(sighting: Sighting): number {
    const { key } = this;
    key[Seen.MacHigh] = sighting.macHigh;
    key[Seen.MacLow] = sighting.macLow;
    key[Seen.IpVersion] = sighting.ipVersion;
    key[Seen.Address] = sighting.address0;
    key[Seen.Address + 1] = sighting.address1;
    key[Seen.Address + 2] = sighting.address2;
    key[Seen.Address + 3] = sighting.address3;
    key[Seen.NameBytes] = sighting.nameBytes;
    key[Seen.NameHash] = hashBytes(sighting.name, 0, sighting.nameBytes);
    let hash = 0;
    for (let i = 0; i < Seen.Words; i++) hash = mixWord(hash, key[i] as number);
    return hash >>> (32 - REMEMBERED_BITS);
  }

  private isRemembered(index: number): boolean {
    const { key, seen } = this;
    for (let i = 0; i < Seen.Words; i++) if (seen[index * Seen.Words + i] !== key[i]) return false;
    return true;
  }

  private emit(sighting: Sighting): void {
    const { words, bytes } = this;
    const nameBytes = Math.min(sighting.nameBytes, Device.NameBytesMax);
    this.seenUs[0] = sighting.us;
    words[Device.Source] = sighting.source;
    words[Device.MacHigh] = sighting.macHigh;
    words[Device.MacLow] = sighting.macLow;
    words[Device.IpVersion] = sighting.ipVersion;
    words[Device.Address] = sighting.address0;
    words[Device.Address + 1] = sighting.address1;
    words[Device.Address + 2] = sighting.address2;
    words[Device.Address + 3] = sighting.address3;
    words[Device.InterfaceIndex] = sighting.interfaceIndex;
    words[Device.NameBytes] = nameBytes;
    for (let i = 0; i < nameBytes; i++) bytes[Device.HeaderBytes + i] = sighting.name[i] as number;
    this.sink.emit(RecordKind.Device, words, Device.HeaderBytes + nameBytes);
  }
}
