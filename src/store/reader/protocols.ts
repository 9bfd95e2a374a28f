import { IpProtocol } from '../../wire/ip-protocol.js';

/** Protocols by the names that people write. */
export const PROTOCOLS: Readonly<Record<string, number>> = {
  icmp: IpProtocol.Icmp,
  igmp: 2,
  tcp: IpProtocol.Tcp,
  udp: IpProtocol.Udp,
  gre: IpProtocol.Gre,
  esp: 50,
  ah: IpProtocol.Ah,
  icmpv6: IpProtocol.Icmpv6,
  ospf: 89,
  sctp: IpProtocol.Sctp,
};

/** Name of an IP protocol, or its number. */
export function protocolName(protocol: number): string {
  return Object.keys(PROTOCOLS).find((name) => PROTOCOLS[name] === protocol) ?? String(protocol);
}
