import { describe, expect, it } from 'vitest';
import { readDhcpv6 } from '../../src/parse/app/dhcpv6.js';
import { address, join, viewOf } from '../helpers/frame-bytes.js';
import { hex, latin, placed } from '../helpers/placed.js';
import { SeenDevices } from '../helpers/seen-devices.js';

const MAC = '90:b1:1c:99:49:29';
const LINK = hex('0003 0001 90b11c994929');
const LINK_AND_TIME = hex('0001 0001 2c1d5ef0 90b11c994929');

const SOLICIT = 1;
const REQUEST = 3;
const REPLY = 7;

function option(code: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const value = join(...contents);
  const head = new Uint8Array(4);
  viewOf(head).setUint16(0, code);
  viewOf(head).setUint16(2, value.length);
  return join(head, value);
}

const message = (type: number, ...options: readonly Uint8Array[]): Uint8Array => join(Uint8Array.of(type, 1, 2, 3), ...options);
const clientId = (duid: Uint8Array): Uint8Array => option(1, duid);
const fullName = (labels: string): Uint8Array => option(39, Uint8Array.of(1), latin(labels));
const lease = (ip: string, validS = 7200): Uint8Array => {
  const lifetimes = new Uint8Array(8);
  viewOf(lifetimes).setUint32(4, validS);
  return option(5, address(ip), lifetimes);
};
const nonTemporary = (...options: readonly Uint8Array[]): Uint8Array => option(3, new Uint8Array(12), ...options);
const temporary = (...options: readonly Uint8Array[]): Uint8Array => option(4, new Uint8Array(4), ...options);

function seenIn(bytes: Uint8Array): { isDhcpv6: boolean; seen: readonly string[] } {
  const devices = new SeenDevices();
  const isDhcpv6 = readDhcpv6(...placed(bytes), devices.sightings, 1_000_000, 3);
  return { isDhcpv6, seen: devices.seen };
}

describe('DHCPv6', () => {
  it('tells hardware address and name of a client, where and when', () => {
    const { sightings, devices } = new SeenDevices();
    const bytes = message(SOLICIT, clientId(LINK), fullName('\x05Phone\x07example\x03org\0'));
    expect(readDhcpv6(...placed(bytes), sightings, 1_000_000, 3)).toBe(true);
    expect(devices).toEqual([
      { source: 'dhcpv6', mac: MAC, ip: '', name: 'phone.example.org', us: 1_000_000, interfaceIndex: 3 },
    ]);
  });

  it.each([SOLICIT, 2, REQUEST, 4, 5, 6, 8, 9, 11])('tells the client in messages of type %d', (type) => {
    expect(seenIn(message(type, clientId(LINK_AND_TIME), fullName('\x02pc'))).seen).toEqual([`${MAC}  pc`]);
  });

  it('tells the addresses that a reply grants', () => {
    const bytes = message(
      REPLY,
      option(2, hex('0003 0001 020000000001')),
      nonTemporary(lease('2001:db8::7'), lease('fd00::7')),
      clientId(LINK),
      temporary(lease('2001:db8::8')),
      fullName('\x02pc\0'),
    );
    expect(seenIn(bytes).seen).toEqual([`${MAC} 2001:db8::7 pc`, `${MAC} fd00::7 pc`, `${MAC} 2001:db8::8 pc`]);
  });

  it('tells no address that a client only asks for, that is taken away, or that no host has', () => {
    expect(seenIn(message(REQUEST, clientId(LINK), nonTemporary(lease('2001:db8::7')))).seen).toEqual([`${MAC}  `]);
    expect(seenIn(message(2, clientId(LINK), nonTemporary(lease('2001:db8::7')))).seen).toEqual([`${MAC}  `]);
    expect(seenIn(message(REPLY, clientId(LINK), nonTemporary(lease('2001:db8::7', 0)))).seen).toEqual([`${MAC}  `]);
    expect(seenIn(message(REPLY, clientId(LINK), nonTemporary(lease('ff02::1')))).seen).toEqual([`${MAC}  `]);
    expect(seenIn(message(REPLY, clientId(LINK), lease('2001:db8::7'))).seen).toEqual([`${MAC}  `]);
  });

  it('tells name and address of a client whose identifier holds no hardware address', () => {
    const uuid = clientId(hex(`0004 ${'ab'.repeat(16)}`));
    expect(seenIn(message(REPLY, uuid, fullName('\x02pc'), nonTemporary(lease('2001:db8::7')))).seen).toEqual([
      ' 2001:db8::7 pc',
    ]);
    expect(seenIn(message(REPLY, uuid, nonTemporary(lease('2001:db8::7')))).seen).toEqual([]);
    expect(seenIn(message(SOLICIT, uuid, fullName('\x02pc'))).seen).toEqual([]);
  });

  it.each([
    ['other hardware', '0003 0006 90b11c994929'],
    ['another type', '0002 0001 90b11c994929'],
    ['another length', '0003 0001 90b11c9949290000'],
    ['a time that is cut', '0001 0001 2c1d5ef0 90b11c9949'],
    ['nothing in it', ''],
    ['the address of a group', '0003 0001 333300000001'],
  ])('takes no hardware address from an identifier with %s', (_, duid) => {
    expect(seenIn(message(SOLICIT, clientId(hex(duid))))).toEqual({ isDhcpv6: true, seen: [] });
  });

  it('does not look into what relays exchange', () => {
    const relayed = join(new Uint8Array(30), clientId(LINK), fullName('\x02pc'));
    for (const type of [12, 13]) expect(seenIn(message(type, relayed))).toEqual({ isDhcpv6: true, seen: [] });
  });

  it('is not what is too short or of no type', () => {
    for (const bytes of [hex(''), hex('010203'), hex('00010203'), hex('ff010203')]) expect(seenIn(bytes).isDhcpv6).toBe(false);
  });

  it('loses the option in which it is cut, and what follows', () => {
    const bytes = message(SOLICIT, clientId(LINK), fullName('\x02pc'));
    for (let length = 0; length < bytes.length; length++)
      expect(seenIn(bytes.subarray(0, length)).seen, `${length} bytes`).toEqual(length < 18 ? [] : [`${MAC}  `]);
    expect(seenIn(bytes).seen).toEqual([`${MAC}  pc`]);
  });

  it('follows 64 options, and 8 addresses of one association', () => {
    const others = (count: number): Uint8Array[] => Array.from({ length: count }, () => option(99));
    expect(seenIn(message(SOLICIT, ...others(63), clientId(LINK))).seen).toHaveLength(1);
    expect(seenIn(message(SOLICIT, ...others(64), clientId(LINK))).seen).toHaveLength(0);
    const leases = Array.from({ length: 12 }, (_, index) => lease(`2001:db8::${index + 1}`));
    expect(seenIn(message(REPLY, clientId(LINK), nonTemporary(...leases))).seen).toHaveLength(8);
  });
});
