import { DNS_TRANSPORTS, DnsTransport } from '../ring/name-records.js';
import { addressSql, codeSql, nameSql, textSql } from './view-sql.js';

/** Types that are met, by their names in the registry of DNS parameters (IANA). */
const TYPES = [
  [1, 'A'],
  [2, 'NS'],
  [5, 'CNAME'],
  [6, 'SOA'],
  [10, 'NULL'],
  [12, 'PTR'],
  [13, 'HINFO'],
  [15, 'MX'],
  [16, 'TXT'],
  [17, 'RP'],
  [18, 'AFSDB'],
  [24, 'SIG'],
  [25, 'KEY'],
  [28, 'AAAA'],
  [29, 'LOC'],
  [33, 'SRV'],
  [35, 'NAPTR'],
  [36, 'KX'],
  [37, 'CERT'],
  [38, 'A6'],
  [39, 'DNAME'],
  [41, 'OPT'],
  [42, 'APL'],
  [43, 'DS'],
  [44, 'SSHFP'],
  [45, 'IPSECKEY'],
  [46, 'RRSIG'],
  [47, 'NSEC'],
  [48, 'DNSKEY'],
  [49, 'DHCID'],
  [50, 'NSEC3'],
  [51, 'NSEC3PARAM'],
  [52, 'TLSA'],
  [53, 'SMIMEA'],
  [55, 'HIP'],
  [59, 'CDS'],
  [60, 'CDNSKEY'],
  [61, 'OPENPGPKEY'],
  [62, 'CSYNC'],
  [63, 'ZONEMD'],
  [64, 'SVCB'],
  [65, 'HTTPS'],
  [99, 'SPF'],
  [108, 'EUI48'],
  [109, 'EUI64'],
  [249, 'TKEY'],
  [250, 'TSIG'],
  [251, 'IXFR'],
  [252, 'AXFR'],
  [255, 'ANY'],
  [256, 'URI'],
  [257, 'CAA'],
] as const;

/** Numbers that mean something else in NetBIOS: name and node status (RFC 1002 section 4.2.1.2). */
const NETBIOS_TYPES = [
  [32, 'NB'],
  [33, 'NBSTAT'],
] as const;

/** Response codes (IANA; RFC 1035 section 4.1.1, RFC 2136, RFC 6891, RFC 7873). 16 is BADVERS, since it stands in an EDNS answer. */
export const RESPONSE_CODES = [
  [0, 'NOERROR'],
  [1, 'FORMERR'],
  [2, 'SERVFAIL'],
  [3, 'NXDOMAIN'],
  [4, 'NOTIMP'],
  [5, 'REFUSED'],
  [6, 'YXDOMAIN'],
  [7, 'YXRRSET'],
  [8, 'NXRRSET'],
  [9, 'NOTAUTH'],
  [10, 'NOTZONE'],
  [11, 'DSOTYPENI'],
  [16, 'BADVERS'],
  [17, 'BADKEY'],
  [18, 'BADTIME'],
  [19, 'BADMODE'],
  [20, 'BADNAME'],
  [21, 'BADALG'],
  [22, 'BADTRUNC'],
  [23, 'BADCOOKIE'],
] as const;

const typeSql = codeSql('type', TYPES, `'TYPE' || type`);
const netbiosTypeSql = codeSql('type', NETBIOS_TYPES, typeSql);

/**
 * `dns_view`: DNS transactions with texts for addresses, names and numbers. Its column names are an interface: they are only added to.
 * `latency_us` and `response_code` are NULL for a query that was not answered, `answers` for one without any.
 */
export const DNS_VIEW = `CREATE VIEW dns_view AS SELECT
  id,
  id - seen_age_us AS seen_us,
  ${addressSql('client')} AS client_ip,
  (ports >> 16) & 65535 AS client_port,
  ${addressSql('server')} AS server_ip,
  ports & 65535 AS server_port,
  ${nameSql('transport', DNS_TRANSPORTS)} AS transport,
  ${textSql('query')} AS query,
  CASE WHEN transport = ${DnsTransport.Netbios} THEN ${netbiosTypeSql} ELSE ${typeSql} END AS query_type,
  CASE WHEN code IS NOT NULL THEN ${codeSql('code', RESPONSE_CODES, `'RCODE' || code`)} END AS response_code,
  latency_us,
  answer_count,
  answers
FROM dns`;
