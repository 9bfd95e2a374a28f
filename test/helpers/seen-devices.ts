import { DeviceSightings } from '../../src/parse/app/device-sightings.js';
import type { RecordSink } from '../../src/parse/app/record-sink.js';
import { RecordKind } from '../../src/ring/layout.js';
import { DEVICE_SOURCES, Device } from '../../src/ring/name-records.js';
import { ipv4Text, ipv6Text } from '../../src/store/address-text.js';

/** A device record, readable; '' where something is not known. */
export interface SeenDevice {
  readonly source: string;
  readonly mac: string;
  readonly ip: string;
  readonly name: string;
  readonly us: number;
  readonly interfaceIndex: number;
}

const hexPair = (byte: number): string => byte.toString(16).padStart(2, '0');

function macText(high: number, low: number): string {
  if (high === 0 && low === 0) return '';
  return [high >> 8, high & 0xff, low >>> 24, (low >>> 16) & 0xff, (low >>> 8) & 0xff, low & 0xff].map(hexPair).join(':');
}

function ipText(words: Int32Array): string {
  const version = words[Device.IpVersion];
  if (version === 6) return ipv6Text(words, Device.Address);
  return version === 4 ? ipv4Text(words[Device.Address + 3] as number) : '';
}

/** Collects the device records that `sightings` emits. */
export class SeenDevices implements RecordSink {
  readonly devices: SeenDevice[] = [];
  readonly sightings = new DeviceSightings(this);

  emit(kind: RecordKind, words: Int32Array, bytes: number): void {
    if (kind !== RecordKind.Device) throw new Error(`a record of kind ${kind}`);
    const nameBytes = words[Device.NameBytes] as number;
    if (bytes !== Device.HeaderBytes + nameBytes) throw new Error(`a record of ${bytes} bytes`);
    this.devices.push({
      source: DEVICE_SOURCES[words[Device.Source] as number] ?? '',
      mac: macText(words[Device.MacHigh] as number, words[Device.MacLow] as number),
      ip: ipText(words),
      name: Buffer.from(words.buffer, words.byteOffset + Device.HeaderBytes, nameBytes).toString('latin1'),
      us: new Float64Array(words.buffer, words.byteOffset)[Device.SeenUsF64] as number,
      interfaceIndex: words[Device.InterfaceIndex] as number,
    });
  }

  /** Hardware address, address and name of each record. */
  get seen(): string[] {
    return this.devices.map(({ mac, ip, name }) => [mac, ip, name].join(' '));
  }
}
