/** UDP ports of the tunnels that are followed (IANA); a datagram that only looks like one is told by its header. */
export const enum TunnelPort {
  GtpU = 2152,
  Teredo = 3544,
  Vxlan = 4789,
  VxlanGpe = 4790,
  Geneve = 6081,
  /** VXLAN as Linux numbers it where nobody says otherwise. */
  VxlanLinux = 8472,
}

/**
 * Whether a datagram from or to this port may carry another packet. One comparison tells most ports, well-known and ephemeral ones
 * alike, so that the branch is foreseeable although both come in no order.
 */
export function isTunnelPort(port: number): boolean {
  if ((port - TunnelPort.GtpU) >>> 0 > TunnelPort.VxlanLinux - TunnelPort.GtpU) return false;
  switch (port) {
    case TunnelPort.GtpU:
    case TunnelPort.Teredo:
    case TunnelPort.Vxlan:
    case TunnelPort.VxlanGpe:
    case TunnelPort.Geneve:
    case TunnelPort.VxlanLinux:
      return true;
    default:
      return false;
  }
}
