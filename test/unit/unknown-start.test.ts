import { describe, expect, it } from 'vitest';
import { tcpFrame } from '../helpers/frames.js';
import { type EmittedFlow, ParseRig } from '../helpers/parse-rig.js';

const CLIENT = { src: '192.168.1.10', dst: '198.51.100.7', srcPort: 40_000 };
/** What a smart plug says on a port of IRC's. */
const PLUG = Uint8Array.from(Buffer.from('000055aa00000000000000090000000c', 'hex'));

interface Said {
  readonly client?: string | Uint8Array;
  readonly server?: string | Uint8Array;
}

/** The flow of a connection to `port` in which these are the first bytes of each side. */
function flowOf(port: number, said: Said, hasHandshake = true): EmittedFlow | undefined {
  const rig = new ParseRig();
  const client = (flags: string, seq: number, payload: string | Uint8Array = '') =>
    rig.feed(tcpFrame({ ...CLIENT, dstPort: port, flags, seq, ack: 501, payload }), 1e6);
  const server = (flags: string, seq: number, payload: string | Uint8Array = '') =>
    rig.feed(
      tcpFrame({ src: CLIENT.dst, dst: CLIENT.src, srcPort: port, dstPort: CLIENT.srcPort, flags, seq, ack: 101, payload }),
      1e6,
    );
  if (hasHandshake) {
    client('S', 100);
    server('S.', 500);
    client('.', 101);
  }
  if (said.client !== undefined) client('.', 101, said.client);
  if (said.server !== undefined) server('.', 501, said.server);
  return rig.finish().flows()[0];
}

describe('a connection that begins in no known way', () => {
  it('says so, whoever speaks first', () => {
    expect(flowOf(6668, { client: PLUG })).toMatchObject({ application: '', isStartUnknown: true });
    expect(flowOf(6668, { server: PLUG })).toMatchObject({ application: '', isStartUnknown: true });
  });

  it('is known all the same if the other side is', () => {
    expect(flowOf(22, { client: PLUG, server: 'SSH-2.0-OpenSSH_9.2p1\r\n' })).toMatchObject({ application: 'ssh' });
  });

  it('is not one that is known, of which the start was not seen, or too little of it', () => {
    expect(flowOf(6667, { client: 'NICK flowberry\r\nUSER a b c d\r\n' })).toMatchObject({
      application: 'irc',
      isStartUnknown: false,
    });
    expect(flowOf(6668, { client: PLUG }, false)).toMatchObject({ application: '', isStartUnknown: false });
    expect(flowOf(6668, { client: PLUG.slice(0, 15) })).toMatchObject({ application: '', isStartUnknown: false });
  });
});
