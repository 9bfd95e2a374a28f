/** What told the name of a flow's server. The names are in `NAME_SOURCES`; numbers are stored, so entries are only added. */
export const enum NameSource {
  None = 0,
  /** Told by the flow itself: in a TLS ClientHello, in a QUIC ClientHello, in the first HTTP request. */
  Sni = 1,
  Quic = 2,
  Http = 3,
  /** The client had asked for the name: by DNS, LLMNR or NetBIOS. */
  Dns = 4,
  /** The server had told its name to all: by mDNS, LLMNR or NetBIOS. */
  Mdns = 5,
  /** The server had told its name when it asked for its address: by DHCP or DHCPv6. */
  Dhcp = 6,
}

/** Names of `NameSource`, in its order. */
export const NAME_SOURCES = ['', 'sni', 'quic', 'http', 'dns', 'mdns', 'dhcp'] as const;

/**
 * The lowest bit of each field of `flows.server_name_info`; a field ends where the next begins. Drawn once, for the writer and
 * for the view:
 *
 * ```
 * 24        4           3        0
 *  |  age   | ambiguous | source |
 * ```
 *
 * The source stands lowest, since SQLite stores a 1 without any byte and a number below 128 in one.
 */
export const enum NameInfo {
  Source = 0,
  Ambiguous = 3,
  /** From the last time that the name was told to the start of the flow, s; 0 where the flow itself tells it. */
  AgeS = 4,
  End = 24,
}

/** Longest age that can be told, s: twelve days. */
const AGE_S_MAX = 2 ** (NameInfo.End - NameInfo.AgeS) - 1;

/** Packs where a name is from; a longer age than can be told is cut to that. `ageS` is an integer from 0 on. Allocates nothing. */
export function packNameInfo(source: NameSource, isAmbiguous: boolean, ageS: number): number {
  return source | ((isAmbiguous ? 1 : 0) << NameInfo.Ambiguous) | (Math.min(ageS, AGE_S_MAX) << NameInfo.AgeS);
}

/** SQL that takes the field from bit `first` to before bit `next` out of the column `server_name_info`. */
export function nameInfoSql(first: NameInfo, next: NameInfo): string {
  return `((server_name_info >> ${first}) & ${2 ** (next - first) - 1})`;
}
