/** UDP ports of the tunnels that are followed (IANA); a datagram that only looks like one is told by its header. */
export const enum TunnelPort {
  L2tp = 1701,
  GtpU = 2152,
  Teredo = 3544,
  /** GRE in UDP (RFC 8086). */
  Gre = 4754,
  Vxlan = 4789,
  VxlanGpe = 4790,
  Ayiya = 5072,
  /** Data channel of CAPWAP (RFC 5415). */
  Capwap = 5247,
  Geneve = 6081,
  /** MPLS in UDP (RFC 7510). */
  Mpls = 6635,
  /** VXLAN as Linux numbers it where nobody says otherwise. */
  VxlanLinux = 8472,
}

/**
 * Whether a datagram to this port may carry another packet. One comparison tells most ports, well-known and ephemeral ones
 * alike, so that the branch is foreseeable although both come in no order.
 */
export function isTunnelPort(port: number): boolean {
  if ((port - TunnelPort.L2tp) >>> 0 > TunnelPort.VxlanLinux - TunnelPort.L2tp) return false;
  switch (port) {
    case TunnelPort.L2tp:
    case TunnelPort.GtpU:
    case TunnelPort.Teredo:
    case TunnelPort.Vxlan:
    case TunnelPort.Gre:
    case TunnelPort.VxlanGpe:
    case TunnelPort.Ayiya:
    case TunnelPort.Capwap:
    case TunnelPort.Geneve:
    case TunnelPort.Mpls:
    case TunnelPort.VxlanLinux:
      return true;
    default:
      return false;
  }
}

/**
 * Whether a datagram from this port may carry another packet, wherever it goes. Most tunnels are known by their destination alone:
 * the source port of VXLAN (RFC 7348 section 5), GRE (RFC 8086 section 3), MPLS (RFC 7510 section 3) and user packets of GTP-U (3GPP
 * TS 29.281 section 4.4.2) says nothing, and who got one of their ports by chance is no tunnel. L2TP, Teredo, AYIYA and CAPWAP answer
 * from theirs. GENEVE has no such answers in its text (RFC 8926 section 3.3), but it and VXLAN-GPE have them in captures, and tell by their headers.
 */
function isTunnelSource(port: number): boolean {
  if ((port - TunnelPort.L2tp) >>> 0 > TunnelPort.Geneve - TunnelPort.L2tp) return false;
  switch (port) {
    case TunnelPort.L2tp:
    case TunnelPort.Teredo:
    case TunnelPort.VxlanGpe:
    case TunnelPort.Ayiya:
    case TunnelPort.Capwap:
    case TunnelPort.Geneve:
      return true;
    default:
      return false;
  }
}

/** Whether a datagram between these ports may carry another packet. */
export function mayTunnel(srcPort: number, dstPort: number): boolean {
  return isTunnelPort(dstPort) || isTunnelSource(srcPort);
}
