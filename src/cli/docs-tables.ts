import { HEALTH_REASONS } from '../api/health-reasons.js';
import { flagName, OPTION_NAMES } from '../config.js';
import { ERRORS } from '../errors.js';
import { OPTIONS } from '../options.js';
import type { DROP_REASONS } from '../ring/drop-reason.js';

/** What each drop reason says to people; a reason without a meaning here does not compile. */
const DROP_MEANINGS: Readonly<Record<Exclude<(typeof DROP_REASONS)[number], ''>, string>> = {
  ring_full: 'The ring of the parse worker was full; live capture only, a replay waits.',
  worker_crash: 'A parse worker died with this packet in hand.',
  capture_crash: 'The capture thread died before it handed the frame over.',
  link_type_unsupported: 'The link type of the interface is none that flowberry reads.',
  link_truncated: 'The frame ends within its link-layer header.',
  vlan_truncated: 'The frame ends within a VLAN tag.',
  layers_too_many: 'More than 16 layers.',
  llc: 'IEEE 802.2 with a protocol that has no reason of its own.',
  arp: 'Address Resolution Protocol.',
  lldp: 'Link Layer Discovery Protocol.',
  eapol: 'Authentication of 802.1X and Wi-Fi.',
  mpls: 'MPLS whose label stack is cut off, or under which there is no IP.',
  pppoe: 'PPPoE discovery, or a PPPoE session header that is none.',
  not_ip: 'Any other EtherType or address family.',
  ipv4_truncated: 'The frame ends within the IPv4 header.',
  ipv4_version: 'EtherType of IPv4, but the version is not 4.',
  ipv4_header_length: 'The IPv4 header is shorter than 20 bytes, or longer than the packet.',
  ipv6_truncated: 'The frame ends within the IPv6 header.',
  ipv6_version: 'EtherType of IPv6, but the version is not 6.',
  rarp: 'Reverse ARP.',
  stp: 'Spanning tree, of any vendor.',
  cdp: 'Discovery protocols of Cisco: CDP, VTP, DTP, UDLD and the like.',
  slow_protocol: 'Slow protocols of IEEE 802.3: LACP, marker, OAM.',
  loop_test: 'Ethernet configuration testing, with which switches look for loops.',
  macsec: 'Encrypted by 802.1AE.',
  ptp: 'Precision Time Protocol over Ethernet.',
  wake_on_lan: 'Wake-on-LAN over Ethernet.',
  homeplug: 'Power-line adapters among themselves.',
  ieee1905: 'IEEE 1905.1, which home meshes speak.',
  ipx: 'IPX.',
  isis: 'Routing by IS-IS.',
  ppp: 'PPP that carries no IP: control protocols, compressed or encrypted payload.',
  wlan_management: 'Wi-Fi management frames: beacons, probes and the like.',
  wlan_control: 'Wi-Fi control frames: acknowledgements and the like.',
  wlan_no_data: 'Wi-Fi data frames without data.',
  wlan_protected: 'Wi-Fi data frames that are encrypted.',
  wlan_fragment: 'Wi-Fi fragments behind the first.',
  own_traffic: 'Connections with the API of flowberry itself; `capture.exclude-own` off keeps them.',
};

const code = (text: string): string => `\`${text}\``;

/** A Markdown table; the cells' own bars are escaped. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Every option: name, flag, default, allowed values, help. */
function optionTable(): string {
  const rows = OPTION_NAMES.map((name) => {
    const { default: value, range, help } = OPTIONS[name];
    const flag = flagName(name);
    const flags = typeof value === 'boolean' ? `${code(flag)}, ${code(flag.replace('--', '--no-'))}` : code(flag);
    return [code(name), flags, value === '' ? 'none' : code(String(value)), range, help];
  });
  return table(['Option', 'Flag', 'Default', 'Allowed', 'What it does'], rows);
}

/** Every error: code, severity, exit code, hint. */
function errorTable(): string {
  const rows = Object.entries(ERRORS).map(([name, { severity, exitCode, hint }]) => [code(name), severity, `${exitCode}`, hint]);
  return table(['Code', 'Severity', 'Exit code', 'What to do'], rows);
}

/** Every reason for which a frame ends without a flow. */
function dropReasonTable(): string {
  return table(
    ['Reason', 'Meaning'],
    Object.entries(DROP_MEANINGS).map(([name, meaning]) => [code(name), meaning]),
  );
}

/** Every reason for a status that is not `ok`: code, severity, meaning. */
function healthReasonTable(): string {
  const rows = Object.entries(HEALTH_REASONS).map(([name, { severity, meaning }]) => [code(name), severity, meaning]);
  return table(['Reason', 'Status', 'Meaning'], rows);
}

/** The generated parts of README.md by the name in their marker comments. */
export const DOCS_TABLES: Readonly<Record<string, () => string>> = {
  'health reasons': healthReasonTable,
  options: optionTable,
  errors: errorTable,
  'drop reasons': dropReasonTable,
};

/** One generated part as it stands in README.md, marker comments included. */
export function docsSection(name: string): string {
  return `<!-- table: ${name} -->\n\n${DOCS_TABLES[name]?.()}\n\n<!-- end: ${name} -->`;
}

/** `flowberry docs`, for maintainers: prints what README.md must contain. */
export function printTables(): number {
  process.stdout.write(`${Object.keys(DOCS_TABLES).map(docsSection).join('\n\n')}\n`);
  return 0;
}
