const LONG_FORM = 0x80;
/** More than anything that comes first in a stream or datagram. */
const LENGTH_BYTES_MAX = 4;

/** Tags of the first message of LDAP (RFC 4511 section 4.2 and the following), which are those of [APPLICATION n]. */
const enum LdapTag {
  BindRequest = 0x60,
  BindResponse = 0x61,
  SearchRequest = 0x63,
  SearchEntry = 0x64,
  SearchDone = 0x65,
  SearchReference = 0x73,
  ExtendedRequest = 0x77,
  ExtendedResponse = 0x78,
}

const enum Tag {
  Integer = 0x02,
  OctetString = 0x04,
  Sequence = 0x30,
}

/** Offset of the contents behind the length at `offset` (X.690 section 8.1.3); -1 if there is none or it is of no use here. */
function contentsOffset(view: DataView, offset: number, end: number): number {
  if (offset >= end) return -1;
  const first = view.getUint8(offset);
  if (first < LONG_FORM) return offset + 1;
  const lengthBytes = first - LONG_FORM;
  if (lengthBytes === 0 || lengthBytes > LENGTH_BYTES_MAX || offset + 1 + lengthBytes > end) return -1;
  return offset + 1 + lengthBytes;
}

/** SNMP (RFC 3416 section 3, RFC 3412 section 6): sequence, version, then the community, or the header of version 3. Allocates nothing. */
export function isSnmp(view: DataView, offset: number, end: number): boolean {
  if (end - offset < 8 || view.getUint8(offset) !== Tag.Sequence) return false;
  const at = contentsOffset(view, offset + 1, end);
  if (at < 0 || end - at < 4 || view.getUint16(at) !== ((Tag.Integer << 8) | 1)) return false;
  const version = view.getUint8(at + 2);
  const next = view.getUint8(at + 3);
  return version === 3 ? next === Tag.Sequence : version <= 1 && next === Tag.OctetString;
}

/** LDAP (RFC 4511 section 4.1.1): sequence, message id, then one of the operations that come first. Allocates nothing. */
export function isLdap(view: DataView, offset: number, end: number): boolean {
  if (end - offset < 7 || view.getUint8(offset) !== Tag.Sequence) return false;
  const at = contentsOffset(view, offset + 1, end);
  if (at < 0 || end - at < 3 || view.getUint8(at) !== Tag.Integer) return false;
  const idBytes = view.getUint8(at + 1);
  const operation = at + 2 + idBytes;
  if (idBytes === 0 || idBytes > 4 || operation >= end) return false;
  switch (view.getUint8(operation)) {
    case LdapTag.BindRequest:
    case LdapTag.BindResponse:
    case LdapTag.SearchRequest:
    case LdapTag.SearchEntry:
    case LdapTag.SearchDone:
    case LdapTag.SearchReference:
    case LdapTag.ExtendedRequest:
    case LdapTag.ExtendedResponse:
      return true;
    default:
      return false;
  }
}

/** The version, 5, as the first field of a request and of a reply or error (RFC 4120 section 5.4). */
const KERBEROS_VERSION = 0x03_02_01_05;
const KERBEROS_REQUEST_FIELD = 0xa1;
const KERBEROS_REPLY_FIELD = 0xa0;

/** Kerberos (RFC 4120 section 5.10): [APPLICATION 10] to [APPLICATION 15] or an error (30), a sequence, its version. Allocates nothing. */
export function isKerberos(view: DataView, offset: number, end: number): boolean {
  if (end - offset < 4) return false;
  const tag = view.getUint8(offset);
  if ((tag < 0x6a || tag > 0x6f) && tag !== 0x7e) return false;
  const sequence = contentsOffset(view, offset + 1, end);
  if (sequence < 0 || sequence >= end || view.getUint8(sequence) !== Tag.Sequence) return false;
  const field = contentsOffset(view, sequence + 1, end);
  if (field < 0 || end - field < 5 || view.getUint32(field + 1) !== KERBEROS_VERSION) return false;
  return view.getUint8(field) === KERBEROS_REQUEST_FIELD || view.getUint8(field) === KERBEROS_REPLY_FIELD;
}
