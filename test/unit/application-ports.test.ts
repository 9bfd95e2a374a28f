import { describe, expect, it } from 'vitest';
import { APPLICATIONS, applicationOf } from '../../src/ring/application.js';
import { applicationOfPort } from '../../src/wire/application-ports.js';
import { TCP_SAMPLES, UDP_SAMPLES } from '../helpers/application-samples.js';

const TCP = 6;
const UDP = 17;

const named = (protocol: number, srcPort: number, dstPort: number): string | undefined =>
  APPLICATIONS[applicationOfPort(protocol, srcPort, dstPort)];

describe('application of a port', () => {
  it.each([
    [TCP, 22, 'ssh'],
    [TCP, 443, 'tls'],
    [UDP, 443, 'quic'],
    [TCP, 53, 'dns'],
    [UDP, 53, 'dns'],
    [UDP, 5353, 'mdns'],
    [UDP, 67, 'dhcp'],
    [UDP, 123, 'ntp'],
    [UDP, 1900, 'ssdp'],
    [TCP, 445, 'smb'],
    [UDP, 3478, 'stun'],
    [UDP, 51_820, 'wireguard'],
    [UDP, 1194, 'openvpn'],
    [TCP, 8883, 'mqtt'],
    [TCP, 6889, 'bittorrent'],
    [TCP, 993, 'imap'],
    [TCP, 587, 'smtp'],
    [TCP, 995, 'pop3'],
    [TCP, 3389, 'rdp'],
    [TCP, 5901, 'vnc'],
    [UDP, 161, 'snmp'],
    [UDP, 514, 'syslog'],
    [TCP, 3260, 'iscsi'],
    [TCP, 631, 'ipp'],
    [UDP, 47_808, 'bacnet'],
    [136, 53, 'dns'],
  ])('protocol %d, port %d is %s', (protocol, port, name) => {
    expect(named(protocol, 50_000, port)).toBe(name);
  });

  it.each([
    [1, 'icmp'],
    [58, 'icmp'],
    [2, 'igmp'],
    [50, 'ipsec'],
    [51, 'ipsec'],
    [89, 'ospf'],
    [103, 'pim'],
    [112, 'vrrp'],
    [115, 'l2tp'],
    [132, ''],
    [47, ''],
    [0, ''],
    [255, ''],
  ])('protocol %d without ports is %j', (protocol, name) => {
    expect(named(protocol, 0, 0)).toBe(name);
  });

  it('is none where a port means nothing, and for 0', () => {
    expect(named(TCP, 50_000, 40_000)).toBe('');
    expect(named(TCP, 0, 0)).toBe('');
    expect(named(UDP, 50_000, 65_535)).toBe('');
    expect(named(UDP, 50_000, 22)).toBe('');
  });

  it('is the responder’s before the initiator’s', () => {
    expect(named(TCP, 80, 22)).toBe('ssh');
    expect(named(TCP, 80, 40_000)).toBe('http');
  });

  it('is not the initiator’s where Linux gives ports to initiators', () => {
    expect(named(UDP, 47_808, 40_000)).toBe('');
    expect(named(UDP, 47_808, 47_808)).toBe('bacnet');
    expect(named(TCP, 27_017, 40_000)).toBe('mongodb');
  });
});

describe('the list of applications', () => {
  it('numbers its names', () => {
    APPLICATIONS.forEach((name, number) => {
      if (name !== '') expect(applicationOf(name)).toBe(number);
    });
  });

  it('names each application once, and only those that a port, a protocol or a payload shows', () => {
    const shown = new Set<string>([...TCP_SAMPLES, ...UDP_SAMPLES].map(({ application }) => application));
    for (let number = 0; number <= 65_535; number++)
      for (const protocol of [TCP, UDP]) shown.add(named(protocol, 50_000, number) as string);
    for (let protocol = 0; protocol <= 255; protocol++) shown.add(named(protocol, 0, 0) as string);
    expect([...APPLICATIONS].sort()).toEqual([...shown].sort());
  });

  it('has names of lower-case letters, digits and hyphens', () => {
    expect(APPLICATIONS.filter((name) => !/^[a-z0-9-]*$/.test(name))).toEqual([]);
  });
});
