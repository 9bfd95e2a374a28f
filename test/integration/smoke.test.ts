import { expect, it } from 'vitest';
import { NetworkNamespace, FrameSender } from '../helpers/network-namespace.js';
import { AfpacketSource } from '../../src/capture/afpacket-source.js';
import { CapSource } from '../../src/capture/cap-source.js';
import { resolveConfig } from '../../src/config.js';
import { InterfaceTable, createInterfaceTable } from '../../src/ring/interface-table.js';
import { frame, ethernet, vlan, ipv4, udp } from '../helpers/frames.js';
it('x', async () => {
  const ns = new NetworkNamespace();
  const leave = ns.enter();
  try {
    for (const S of [AfpacketSource, CapSource]) {
    const s = new S('capture0', resolveConfig({'capture.filter': 'vlan 7'}));
    const got: string[] = [];
    await s.open({ frame(v, o, c, w, sec, ns, i, l) { got.push(Buffer.from(v.buffer, o, c).toString('hex') + ` ${c} ${w} ${sec}.${ns} ${i} ${l}`); } }, new InterfaceTable(createInterfaceTable()));
    const tx = new FrameSender('peer0');
    const f = frame(ethernet(), vlan(7,{tag:0x88a8}), vlan(9), ipv4({ src: '10.0.0.1', dst: '10.0.0.2' }), udp({ srcPort: 1000, dstPort: 53 }), 'payload');
    console.log(Buffer.from(f).toString('hex'), f.length);
    tx.send(f); tx.send(frame(ethernet(), vlan(7), ipv4({ src: '10.0.0.1', dst: '10.0.0.2' }), udp({ srcPort: 1000, dstPort: 53 }), 'payload')); tx.send(frame(ethernet(), ipv4({ src: '10.0.0.1', dst: '10.0.0.2' }), udp({ srcPort: 1000, dstPort: 53 }), 'payload'));
    for (let i=0;i<5;i++) console.log('step', await s.step(60));
    console.log(S.name, got, s.statistics());
    s.close(); tx.close();
    }
  } finally { leave(); ns.delete(); }
});
