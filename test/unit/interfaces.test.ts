import { describe, expect, it } from 'vitest';
import { defaultInterface, defaultRouteIpv4, defaultRouteIpv6, listInterfaces } from '../../src/capture/interfaces.js';

const HEADING = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n';
const ZERO = '0'.repeat(32);

describe('defaultRouteIpv4', () => {
  it('takes the default route with the lowest metric', () => {
    const text = `${HEADING}wlan0\t00000000\t0100A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0
eth0\t00000000\t0100A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth1\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n`;
    expect(defaultRouteIpv4(text)).toBe('eth0');
  });

  it('passes over half routes, routes that refuse and routes that are not up', () => {
    const text = `${HEADING}tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0
lo\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0
eth0\t00000000\t00000000\t0000\t0\t0\t0\t00000000\t0\t0\t0\n`;
    expect(defaultRouteIpv4(text)).toBeNull();
    expect(defaultRouteIpv4('')).toBeNull();
  });
});

describe('defaultRouteIpv6', () => {
  it('takes the default route with the lowest metric, in hexadecimal, and none that refuses', () => {
    const text = `fe80${'0'.repeat(28)} 40 ${ZERO} 00 ${ZERO} 00000100 00000001 00000000 00000001     eth2
${ZERO} 00 ${ZERO} 00 ${ZERO} ffffffff 00000001 00000000 00200200       lo
${ZERO} 00 ${ZERO} 00 fe80${'0'.repeat(27)}1 00000400 00000001 00000000 00000003    wlan0
${ZERO} 00 ${ZERO} 00 fe80${'0'.repeat(27)}1 000000a0 00000001 00000000 00000003     eth0\n`;
    expect(defaultRouteIpv6(text)).toBe('eth0');
    expect(defaultRouteIpv6('')).toBeNull();
  });
});

describe.skipIf(process.platform !== 'linux')('interfaces of this machine (needs Linux)', () => {
  it('lists the loopback interface, and the default one where there is one', () => {
    const interfaces = listInterfaces();
    expect(interfaces.find(({ name }) => name === 'lo')).toMatchObject({ isLoopback: true, mac: null, linkType: 'ethernet' });
    const marked = interfaces.filter(({ isDefault }) => isDefault).map(({ name }) => name);
    if (marked.length > 0) expect([defaultInterface()]).toEqual(marked);
  });
});
