import { describe, expect, it } from 'vitest';
import { clientHelloMessage, HELLO_BYTES_MAX, isClientHelloStart } from '../../src/parse/app/tls-records.js';
import { join } from '../helpers/frame-bytes.js';
import { alone, placed } from '../helpers/parser-input.js';
import { clientHello, extension, serverName, tlsRecords } from '../helpers/tls-hello.js';

function found(bytes: Uint8Array): string {
  const { view, offset, end } = placed(bytes);
  const message = clientHelloMessage(view, offset, end);
  if (typeof message === 'string') return message;
  return Buffer.from(new Uint8Array(message.view.buffer, message.view.byteOffset).slice(message.offset, message.end)).toString(
    'hex',
  );
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const hello = clientHello({ extensions: [serverName('example.org')] });
/** A ClientHello of `bytes` bytes, header included. */
function helloOf(bytes: number): Uint8Array {
  const without = clientHello({ extensions: [extension(21)] }).length;
  return clientHello({ extensions: [extension(21, new Uint8Array(bytes - without))] });
}

describe('the ClientHello in TLS records', () => {
  it('is found in one record, in place', () => {
    const { view, offset, end } = placed(tlsRecords(hello));
    expect(clientHelloMessage(view, offset, end)).toEqual({ view, offset: offset + 5, end });
  });

  it('is found whatever stands behind it', () => {
    expect(found(join(tlsRecords(hello), Uint8Array.of(20, 3, 3, 0, 1, 1)))).toBe(hex(hello));
    expect(found(tlsRecords(join(hello, Uint8Array.of(20, 0, 0, 0))))).toBe(hex(hello));
  });

  it.each([0x0300, 0x0301, 0x0302, 0x0303, 0x0304])('is found in records of version %i', (version) => {
    expect(found(tlsRecords(hello, 100, version))).toBe(hex(hello));
  });

  it('is put together from records of any size', () => {
    for (let bytes = 1; bytes <= hello.length; bytes++) expect(found(tlsRecords(hello, bytes))).toBe(hex(hello));
  });

  it('is waited for while it is cut, at every length', () => {
    for (const bytes of [hello.length, 50, 3, 1]) {
      const stream = tlsRecords(hello, bytes);
      for (let length = 0; length < stream.length; length++) {
        const { view, offset, end } = alone(stream.subarray(0, length));
        expect(clientHelloMessage(view, offset, end)).toBe('incomplete');
      }
    }
  });

  it('has at most 16 KiB', () => {
    const longest = helloOf(HELLO_BYTES_MAX);
    expect(found(tlsRecords(longest, 9000))).toBe(hex(longest));
    expect(found(tlsRecords(helloOf(HELLO_BYTES_MAX + 1), 9000))).toBe('none');
    expect(found(tlsRecords(Uint8Array.of(1, 0xff, 0xff, 0xff)))).toBe('none');
  });

  it('is not there in other protocols, as their first bytes tell', () => {
    const others = ['GET / HTTP/1.1', 'SSH-2.0-x', '\x16\x02', '\x16\x03\x05', '\x15\x03\x01\x00\x02', '\x17\x03\x03'];
    for (const other of others) expect(found(Uint8Array.from(Buffer.from(other, 'latin1')))).toBe('none');
  });

  it('is not there in the hello of SSL 2', () => {
    expect(found(Uint8Array.of(0x80, 0x2e, 1, 3, 1, 0, 0x15, 0, 0, 0, 0x10))).toBe('none');
  });

  it('is not there in another handshake message', () => {
    expect(found(tlsRecords(Uint8Array.of(2, 0, 0, 1, 0)))).toBe('none');
    expect(found(tlsRecords(Uint8Array.of(2, 0, 0, 1, 0), 1))).toBe('none');
  });

  it('is not there when a record is empty, too long, or of another type in between', () => {
    const half = tlsRecords(hello.subarray(0, 40));
    expect(found(Uint8Array.of(22, 3, 1, 0, 0))).toBe('none');
    expect(found(Uint8Array.of(22, 3, 1, 0x40, 1))).toBe('none');
    expect(found(join(half, Uint8Array.of(20, 3, 1, 0, 1, 1)))).toBe('none');
    expect(found(join(half, tlsRecords(hello.subarray(40))))).toBe(hex(hello));
  });
});

describe('the start of a ClientHello', () => {
  const begins = (bytes: Uint8Array): boolean => {
    const { view, offset, end } = placed(bytes);
    return isClientHelloStart(view, offset, end);
  };

  it('is told by six bytes', () => {
    expect(begins(tlsRecords(hello))).toBe(true);
    expect(begins(tlsRecords(hello).subarray(0, 6))).toBe(true);
    for (let length = 0; length < 6; length++) expect(begins(tlsRecords(hello).subarray(0, length))).toBe(false);
  });

  it.each([
    ['another handshake message', tlsRecords(Uint8Array.of(2, 0, 0, 1, 0))],
    ['another record', Uint8Array.of(0x17, 3, 3, 0, 9, 1, 0, 0, 5)],
    ['a record of another version', Uint8Array.of(0x16, 3, 5, 0, 9, 1, 0, 0, 5)],
    ['an empty record', Uint8Array.of(0x16, 3, 1, 0, 0, 1, 0, 0, 5)],
  ])('is not %s', (_, bytes) => {
    expect(begins(bytes)).toBe(false);
  });
});
