import { IpProtocol } from '../../src/wire/ip-protocol.js';
import { type CapturedPayload, capturedPayloads } from './captured-payloads.js';

/** What each side of each TCP and UDP flow of a capture sends first, in order. */
export async function firstPayloads(name: string): Promise<CapturedPayload[]> {
  const seen = new Set<number>();
  return (await capturedPayloads(name)).filter(({ protocol, srcPort, flow }) => {
    // Fragments behind the first have no ports here.
    if (srcPort === 0) return false;
    if ((protocol !== IpProtocol.Tcp && protocol !== IpProtocol.Udp) || seen.has(flow)) return false;
    seen.add(flow);
    return true;
  });
}
