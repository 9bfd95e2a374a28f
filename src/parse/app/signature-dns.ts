/** DNS (RFC 1035 section 4.1.1): id, flags, and the numbers of entries in four sections. */
const enum DnsHeader {
  Flags = 2,
  Questions = 4,
  Answers = 6,
  Authorities = 8,
  Additional = 10,
  Bytes = 12,
  QuestionBytesMin = 5,
  TypeAndClassBytes = 4,
  RecordBytesMin = 11,
  /** Longest message of multicast DNS (RFC 6762 section 17), and of any other over UDP in practice. */
  BytesMax = 9000,
}
const DNS_RESPONSE = 0x8000;
/** The bit that is still reserved (RFC 6895 section 2.1). */
const DNS_RESERVED = 0x0040;
const DNS_OPERATION = 0x7800;
const DNS_OPERATION_MAX = 6;
const DNS_CODE = 0x000f;
/** EDNS, a signature (RFC 6891 section 6.1.1, RFC 8945 section 5.1), and one more that nobody has yet. */
const DNS_QUERY_RECORDS_MAX = 3;
/** RFC 1035 section 2.3.4. */
const DNS_NAME_BYTES_MAX = 255;
const DNS_LABEL_BYTES_MAX = 63;
/** Classes (RFC 1035 sections 3.2.4 and 3.2.5). */
const DNS_INTERNET = 1;
const DNS_CHAOS = 3;
const DNS_ANY = 255;

/** Whether a header of DNS makes sense, which hardly any other bytes do. Allocates nothing, as all functions here. */
export function isDnsHeader(view: DataView, offset: number, end: number): boolean {
  if (end - offset < DnsHeader.Bytes) return false;
  const flags = view.getUint16(offset + DnsHeader.Flags);
  const operation = (flags >> 11) & 0xf;
  if (operation > DNS_OPERATION_MAX || (flags & DNS_RESERVED) !== 0) return false;
  if ((flags & DNS_RESPONSE) === 0 && (flags & DNS_CODE) !== 0) return false;
  return hasSaneCounts(view, offset);
}

function hasSaneCounts(view: DataView, offset: number): boolean {
  const questions = view.getUint16(offset + DnsHeader.Questions);
  const bytes = questions * DnsHeader.QuestionBytesMin + recordCount(view, offset) * DnsHeader.RecordBytesMin;
  return bytes > 0 && bytes <= DnsHeader.BytesMax;
}

/** Records of the three sections behind the questions, as the header counts them. */
function recordCount(view: DataView, offset: number): number {
  return (
    view.getUint16(offset + DnsHeader.Answers) +
    view.getUint16(offset + DnsHeader.Authorities) +
    view.getUint16(offset + DnsHeader.Additional)
  );
}

/**
 * Whether a message is DNS on whatever port, by its whole start: a plain query or its response (RFC 1035 section 4.1), one question whose
 * name is written out, a class that is in use, and behind it just as much as the header announces. `bytes` is how long the message is.
 */
export function isDnsMessage(view: DataView, offset: number, end: number, bytes: number): boolean {
  if (end - offset < DnsHeader.Bytes || view.getUint16(offset + DnsHeader.Questions) !== 1) return false;
  const flags = view.getUint16(offset + DnsHeader.Flags);
  if ((flags & (DNS_OPERATION | DNS_RESERVED)) !== 0) return false;
  const records = recordCount(view, offset);
  if ((flags & DNS_RESPONSE) === 0 && ((flags & DNS_CODE) !== 0 || records > DNS_QUERY_RECORDS_MAX)) return false;
  const question = endOfName(view, offset + DnsHeader.Bytes, end);
  if (question < 0 || end - question < DnsHeader.TypeAndClassBytes || view.getUint16(question) === 0) return false;
  const dnsClass = view.getUint16(question + 2);
  if (dnsClass !== DNS_INTERNET && dnsClass !== DNS_CHAOS && dnsClass !== DNS_ANY) return false;
  const rest = bytes - (question + DnsHeader.TypeAndClassBytes - offset);
  return records === 0 ? rest === 0 : rest >= records * DnsHeader.RecordBytesMin;
}

/** Offset behind a name without pointers (RFC 1035 section 3.1), -1 if it is none or is cut. */
function endOfName(view: DataView, offset: number, end: number): number {
  const limit = Math.min(end, offset + DNS_NAME_BYTES_MAX);
  let at = offset;
  while (at < limit) {
    const length = view.getUint8(at++);
    if (length === 0) return at;
    if (length > DNS_LABEL_BYTES_MAX) return -1;
    at += length;
  }
  return -1;
}

/** NetBIOS over UDP, port 137 (RFC 1002 section 4.2.1): like DNS, with operations of its own and a bit where DNS reserves one. */
const NETBIOS_OPERATIONS = (1 << 0) | (1 << 5) | (1 << 6) | (1 << 7) | (1 << 8) | (1 << 9) | (1 << 15);

export function isNetBiosName(view: DataView, offset: number, end: number): boolean {
  if (end - offset < DnsHeader.Bytes) return false;
  const operation = (view.getUint16(offset + DnsHeader.Flags) >> 11) & 0xf;
  return ((NETBIOS_OPERATIONS >> operation) & 1) === 1 && hasSaneCounts(view, offset);
}
