import assert from 'node:assert/strict';
import { addressBytes } from '../address-bytes.js';

/** Where an address lies, seen from the local networks. */
export const enum Place {
  Remote = 0,
  /** A device in a local network. */
  Local = 1,
  /** All devices of a network, or one that has no address yet: multicast, broadcast, the unspecified address. No device, and local. */
  Everybody = 2,
}

/** Private (RFC 1918), link-local (RFC 3927) and loopback; unique local (RFC 4193), link-local, loopback. */
const PRIVATE = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '127.0.0.0/8',
  'fc00::/7',
  'fe80::/10',
  '::1/128',
];

const MULTICAST_4 = 0xe;
const MULTICAST_6 = 0xff;

/** Words of the network and of its mask: one for IPv4, four for IPv6. */
interface Network {
  readonly words: Int32Array;
  readonly mask: Int32Array;
}

/** Which addresses are local, by the option `store.local-networks`. */
export class LocalNetworks {
  private readonly v4: readonly Network[];
  private readonly v6: readonly Network[];

  /** `text` is what the option allows. */
  constructor(text: string) {
    const networks = networksOf(text);
    this.v4 = networks.filter(({ words }) => words.length === 1);
    this.v6 = networks.filter(({ words }) => words.length === 4);
  }

  /** The place of an address as it lies in a record: four words from `index` on, the last one of them for IPv4. Allocates nothing. */
  placeOf(version: number, words: Int32Array, index: number): Place {
    return version === 6 ? this.placeOf6(words, index) : this.placeOf4(words[index + 3] as number);
  }

  private placeOf4(address: number): Place {
    if (address >>> 28 === MULTICAST_4 || address === -1 || address === 0) return Place.Everybody;
    for (const { words, mask } of this.v4) if ((address & (mask[0] as number)) === words[0]) return Place.Local;
    return Place.Remote;
  }

  private placeOf6(address: Int32Array, index: number): Place {
    if ((address[index] as number) >>> 24 === MULTICAST_6) return Place.Everybody;
    for (const { words, mask } of this.v6) {
      let word = 0;
      while (word < 4 && ((address[index + word] as number) & (mask[word] as number)) === words[word]) word++;
      if (word === 4) return Place.Local;
    }
    const isUnspecified = !(address[index] || address[index + 1] || address[index + 2] || address[index + 3]);
    return isUnspecified ? Place.Everybody : Place.Remote;
  }
}

function networksOf(text: string): Network[] {
  return text.split(',').flatMap((part) => (part === 'private' ? PRIVATE.map(networkOf) : [networkOf(part)]));
}

function networkOf(text: string): Network {
  const [address = '', bits = ''] = text.split('/');
  const bytes = addressBytes(address);
  assert(bytes, `local networks: ${text} is none`);
  const view = new DataView(bytes.buffer);
  const mask = new Int32Array(bytes.length / 4);
  for (let word = 0; word < mask.length; word++) {
    const wordBits = Math.min(Math.max(Number(bits) - 32 * word, 0), 32);
    mask[word] = wordBits === 0 ? 0 : -1 << (32 - wordBits);
  }
  return { words: mask.map((value, word) => view.getInt32(word * 4) & value), mask };
}
