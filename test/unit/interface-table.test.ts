import { describe, expect, it } from 'vitest';
import { createInterfaceTable, InterfaceTable } from '../../src/ring/interface-table.js';
import { Interface } from '../../src/ring/layout.js';

const ETHERNET = 1;
const RAW = 101;

function createTable(): InterfaceTable {
  return new InterfaceTable(createInterfaceTable());
}

describe('InterfaceTable', () => {
  it('gives each name and link type one index, which every view can read', () => {
    const table = createTable();
    expect([table.indexOf('eth0', ETHERNET), table.indexOf('tun0', RAW), table.indexOf('eth0', ETHERNET)]).toEqual([0, 1, 0]);
    expect(table.indexOf('eth0', RAW)).toBe(2);
    const reader = new InterfaceTable(table.memory);
    expect(reader.count).toBe(3);
    expect([reader.name(1), reader.linkType(1)]).toEqual(['tun0', RAW]);
    expect(reader.name(3)).toBe('');
  });

  it('cuts a long name, and knows it again', () => {
    const table = createTable();
    const name = `Intel(R) Ethernet – ${'ö'.repeat(40)}`;
    expect([table.indexOf(name, ETHERNET), table.indexOf(name, ETHERNET)]).toEqual([0, 0]);
    const kept = table.name(0);
    expect(name.startsWith(kept)).toBe(true);
    expect(Buffer.byteLength(kept)).toBeLessThan(Interface.NameBytesMax);
  });

  it('calls whatever finds no place `other`', () => {
    const table = createTable();
    for (let index = 0; index < Interface.CountMax - 1; index++) expect(table.indexOf(`if${index}`, ETHERNET)).toBe(index);
    const last = Interface.CountMax - 1;
    expect([table.indexOf('one more', ETHERNET), table.indexOf('and another', RAW)]).toEqual([last, last]);
    expect(table.name(last)).toBe('other');
    expect(table.indexOf('if7', ETHERNET)).toBe(7);
    expect(table.count).toBe(Interface.CountMax);
  });
});
