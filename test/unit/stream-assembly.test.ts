import { describe, expect, it } from 'vitest';
import { StreamAssembly } from '../../src/parse/app/stream-assembly.js';
import { placed } from '../helpers/parser-input.js';

const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

function put(assembly: StreamAssembly, at: number, text: string): boolean {
  const { view, offset, end } = placed(ascii(text));
  return assembly.put(at, view, offset, end);
}

function start(assembly: StreamAssembly): string {
  return Buffer.from(assembly.bytes.subarray(0, assembly.contiguousBytes)).toString('latin1');
}

describe('a stream assembly', () => {
  it('puts pieces together whatever their order', () => {
    const pieces: [number, string][] = [
      [0, 'abc'],
      [3, 'def'],
      [6, 'ghi'],
      [9, 'jkl'],
    ];
    for (const order of ['0123', '3210', '1302', '2031']) {
      const assembly = new StreamAssembly(64);
      for (const index of order) put(assembly, ...(pieces[Number(index)] as [number, string]));
      expect(start(assembly)).toBe('abcdefghijkl');
    }
  });

  it('counts up to the first gap', () => {
    const assembly = new StreamAssembly(64);
    expect(assembly.contiguousBytes).toBe(0);
    put(assembly, 4, 'ef');
    expect(assembly.contiguousBytes).toBe(0);
    put(assembly, 0, 'ab');
    expect(assembly.contiguousBytes).toBe(2);
    put(assembly, 3, 'd');
    expect(assembly.contiguousBytes).toBe(2);
    put(assembly, 2, 'c');
    expect(assembly.contiguousBytes).toBe(6);
  });

  it('keeps the first copy of each byte', () => {
    const assembly = new StreamAssembly(64);
    put(assembly, 2, 'CD');
    put(assembly, 6, 'GH');
    expect(put(assembly, 0, 'abcdefghij')).toBe(true);
    expect(start(assembly)).toBe('abCDefGHij');
    expect(put(assembly, 3, 'xxx')).toBe(true);
    expect(start(assembly)).toBe('abCDefGHij');
  });

  it('takes pieces that overlap at one side or that lie within others', () => {
    const assembly = new StreamAssembly(64);
    put(assembly, 4, '4567');
    put(assembly, 2, 'xx..');
    put(assembly, 6, '..yy');
    put(assembly, 5, '..');
    put(assembly, 0, '01');
    expect(start(assembly)).toBe('01xx4567yy');
  });

  it('cuts what reaches beyond its size and says so', () => {
    const assembly = new StreamAssembly(8);
    expect(put(assembly, 0, '01234567')).toBe(true);
    expect(put(assembly, 6, 'xx8')).toBe(false);
    expect(start(assembly)).toBe('01234567');
    expect(put(assembly, 8, 'x')).toBe(false);
    expect(put(assembly, 2 ** 60, 'x')).toBe(false);
    expect(put(assembly, 0, '')).toBe(true);
    assembly.clear();
    expect(put(assembly, 4, '4567890')).toBe(false);
    expect(put(assembly, 0, '0123')).toBe(true);
    expect(start(assembly)).toBe('01234567');
  });

  it('opens sixteen holes and no more; what closes one is still taken', () => {
    const assembly = new StreamAssembly(64);
    for (let hole = 0; hole < 16; hole++) expect(put(assembly, hole * 2 + 1, 'b')).toBe(true);
    expect(put(assembly, 40, 'x')).toBe(false);
    expect(put(assembly, 0, 'a')).toBe(true);
    expect(start(assembly)).toBe('ab');
    expect(put(assembly, 33, 'b')).toBe(true);
    expect(put(assembly, 35, 'b')).toBe(false);
    expect(put(assembly, 32, 'a')).toBe(true);
    for (let hole = 1; hole < 16; hole++) expect(put(assembly, hole * 2, 'a')).toBe(true);
    expect(start(assembly)).toBe('ab'.repeat(17));
  });

  it('begins anew once it is cleared', () => {
    const assembly = new StreamAssembly(16);
    put(assembly, 0, 'old');
    assembly.clear();
    expect(assembly.contiguousBytes).toBe(0);
    put(assembly, 0, 'n');
    expect(start(assembly)).toBe('n');
  });

  it('has memory that is not shared', () => {
    const assembly = new StreamAssembly(16);
    expect(assembly.bytes.buffer).toBeInstanceOf(ArrayBuffer);
    expect(assembly.view.buffer).toBe(assembly.bytes.buffer);
  });
});
