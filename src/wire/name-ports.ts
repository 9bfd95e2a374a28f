/** UDP ports of the protocols that tell names of hosts (IANA); DNS is on the same port of TCP. */
export const enum NamePort {
  Dns = 53,
  DhcpServer = 67,
  DhcpClient = 68,
  NetbiosName = 137,
  Dhcpv6Client = 546,
  Dhcpv6Server = 547,
  Mdns = 5353,
  Llmnr = 5355,
}

/** Whether what goes to or comes from this UDP port is read for names, whole. Ephemeral ports are told by one comparison. */
export function isNamePort(port: number): boolean {
  if (port > NamePort.Llmnr) return false;
  switch (port) {
    case NamePort.Dns:
    case NamePort.DhcpServer:
    case NamePort.DhcpClient:
    case NamePort.NetbiosName:
    case NamePort.Dhcpv6Client:
    case NamePort.Dhcpv6Server:
    case NamePort.Mdns:
    case NamePort.Llmnr:
      return true;
    default:
      return false;
  }
}

/** Whether this UDP port is of a protocol that asks a group or all hosts, of which one answers from an address of its own. */
export function isGroupQueryPort(port: number): boolean {
  return port === NamePort.NetbiosName || port === NamePort.Llmnr;
}
