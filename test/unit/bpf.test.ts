import koffi from 'koffi';
import { describe, expect, it } from 'vitest';
import { acceptAll, canCompileFilters, compileFilter } from '../../src/capture/bpf.js';
import { ethernet, frame, ipv4, udp, vlan } from '../helpers/frames.js';

const SNAP_BYTES = 512;
const ETHERNET = { interface: null, linkType: 1, snapBytes: SNAP_BYTES };
const RAW = { interface: null, linkType: 101, snapBytes: SNAP_BYTES };

const ip = ipv4({ src: '10.0.0.1', dst: '10.0.0.2' });
const dns = frame(ethernet(), ip, udp({ srcPort: 4000, dstPort: 53 }));
const http3 = frame(ethernet(), ip, udp({ srcPort: 4000, dstPort: 443 }));

/** Bytes that the program keeps of the packet, as the kernel would; run by libpcap's own interpreter. */
function keptBytes(program: Uint8Array, packet: Uint8Array): number {
  for (const name of ['libpcap.so.0.8', 'libpcap.so.1', 'libpcap.so', '/usr/lib/libpcap.A.dylib']) {
    try {
      const run = koffi
        .load(name)
        .func('uint32_t bpf_filter(const void *program, const void *packet, uint32_t wire, uint32_t captured)');
      return run(program, packet, packet.length, packet.length);
    } catch {
      // The next name.
    }
  }
  throw new Error('libpcap has no bpf_filter');
}

describe('acceptAll', () => {
  it('is one instruction that keeps the snap length', () => {
    const program = acceptAll(0x12345);
    expect(program).toHaveLength(8);
    expect(new Uint16Array(program.buffer)[0]).toBe(0x06);
    expect(new Uint32Array(program.buffer)[1]).toBe(0x12345);
  });
});

const canCompile = canCompileFilters();
describe.skipIf(!canCompile)(`compileFilter${canCompile ? '' : ' (needs libpcap)'}`, () => {
  it('takes what matches, up to the snap length, and refuses the rest', () => {
    const program = compileFilter('udp dst port 53', ETHERNET);
    expect(keptBytes(program, dns)).toBe(SNAP_BYTES);
    expect(keptBytes(program, http3)).toBe(0);
  });

  it('takes everything with an empty expression', () => {
    const program = compileFilter('', ETHERNET);
    expect(keptBytes(program, dns)).toBe(SNAP_BYTES);
  });

  it('looks for the IP header where the link type has it', () => {
    const program = compileFilter('udp dst port 53', RAW);
    expect(keptBytes(program, dns.subarray(14))).toBe(SNAP_BYTES);
    expect(keptBytes(program, http3.subarray(14))).toBe(0);
  });

  it('finds VLAN tags in the frames of a file', () => {
    const program = compileFilter('vlan 7 and udp', ETHERNET);
    expect(keptBytes(program, frame(ethernet(), vlan(7), ip, udp({ srcPort: 1, dstPort: 2 })))).toBe(SNAP_BYTES);
    expect(keptBytes(program, frame(ethernet(), vlan(8), ip, udp({ srcPort: 1, dstPort: 2 })))).toBe(0);
  });

  it.each([
    ['port port', /syntax error/],
    ['host no such thing', /"host no such thing"/],
    ['udp and (', /syntax error/],
    ['ip broadcast', /netmask not known/],
  ])('refuses %j in the words of libpcap', (expression, words) => {
    expect(() => compileFilter(expression, ETHERNET)).toThrow(
      expect.objectContaining({ code: 'CAPTURE_FILTER_INVALID', message: expect.stringMatching(words) }),
    );
  });

  it('refuses a filter that is too long for the kernel', () => {
    const expression = `${Array.from({ length: 2000 }, (_, index) => `ether[${index}]`).join(' + ')} = 7`;
    expect(() => compileFilter(expression, ETHERNET)).toThrow(
      expect.objectContaining({ code: 'CAPTURE_FILTER_INVALID', message: expect.stringContaining('instructions') }),
    );
  });
});
