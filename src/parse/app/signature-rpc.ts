import { Application } from '../../ring/application.js';

/** ONC RPC (RFC 5531 section 9): transaction, direction; a call goes on with version, program and version of the program. */
const enum Rpc {
  Direction = 4,
  Version = 8,
  Program = 12,
  ProgramVersion = 16,
  ReplyBytesMin = 24,
  CallBytesMin = 40,
}
const RPC_VERSION = 2;
const NFS_PROGRAM = 100_003;
const NFS_PORT = 2049;
/** Programs that Sun and IANA have given numbers to begin here; those above are for private use (RFC 5531 section 13). */
const PROGRAM_MIN = 100_000;
const PROGRAM_MAX = 0x3fff_ffff;
const PROGRAM_VERSION_MAX = 16;

/** Recognises an RPC message; a reply does not tell its program, so the port says whether it is NFS. Allocates nothing. */
export function recogniseRpc(view: DataView, offset: number, end: number, srcPort: number, dstPort: number): Application {
  if (end - offset < Rpc.ReplyBytesMin) return Application.None;
  const direction = view.getUint32(offset + Rpc.Direction);
  if (direction === 0) return recogniseCall(view, offset, end);
  // Accepted or denied, and then a flavour of authentication or a reason.
  const isReply = direction === 1 && view.getUint32(offset + 8) <= 1 && view.getUint32(offset + 12) <= 6;
  if (!isReply) return Application.None;
  return srcPort === NFS_PORT || dstPort === NFS_PORT ? Application.Nfs : Application.Rpc;
}

function recogniseCall(view: DataView, offset: number, end: number): Application {
  if (end - offset < Rpc.CallBytesMin || view.getUint32(offset + Rpc.Version) !== RPC_VERSION) return Application.None;
  const program = view.getUint32(offset + Rpc.Program);
  if (program < PROGRAM_MIN || program > PROGRAM_MAX) return Application.None;
  if (view.getUint32(offset + Rpc.ProgramVersion) > PROGRAM_VERSION_MAX) return Application.None;
  return program === NFS_PROGRAM ? Application.Nfs : Application.Rpc;
}

/** Over TCP, records have a mark (RFC 5531 section 11): the highest bit says that the fragment is the last, the others its length. */
const RECORD_MARK_BYTES = 4;
const RECORD_BYTES_MAX = 0x0020_0000;

export function recogniseRpcRecord(view: DataView, offset: number, end: number, srcPort: number, dstPort: number): Application {
  if (end - offset < RECORD_MARK_BYTES) return Application.None;
  const bytes = view.getUint32(offset) & 0x7fff_ffff;
  if (bytes < Rpc.ReplyBytesMin || bytes > RECORD_BYTES_MAX) return Application.None;
  return recogniseRpc(view, offset + RECORD_MARK_BYTES, end, srcPort, dstPort);
}

/** DCE/RPC (C706 section 12.6.3): version 5, minor version, type, flags, representation of data, then the length. */
const enum Dce {
  Minor = 1,
  Type = 2,
  Representation = 4,
  Length = 8,
  Bytes = 16,
}
const DCE_VERSION = 5;
const DCE_TYPE_MAX = 20;
const DCE_LITTLE_ENDIAN = 0x10;

export function isDceRpc(view: DataView, offset: number, end: number): boolean {
  if (end - offset < Dce.Bytes || view.getUint8(offset) !== DCE_VERSION) return false;
  if (view.getUint8(offset + Dce.Minor) > 1 || view.getUint8(offset + Dce.Type) > DCE_TYPE_MAX) return false;
  const representation = view.getUint8(offset + Dce.Representation);
  if ((representation & ~DCE_LITTLE_ENDIAN) !== 0 || view.getUint8(offset + Dce.Representation + 1) !== 0) return false;
  const bytes = view.getUint16(offset + Dce.Length, representation === DCE_LITTLE_ENDIAN);
  return view.getUint16(offset + Dce.Representation + 2) === 0 && bytes >= Dce.Bytes && bytes <= end - offset;
}

/** Over TCP, SMB stands behind a NetBIOS session header (RFC 1002 section 4.3.1): type, and a length of 24 bits (MS-SMB2 section 2.1). */
const SESSION_HEADER_BYTES = 4;
/** The three letters behind the first byte: 0xff SMB 1, 0xfe SMB 2 and 3, 0xfd encrypted, 0xfc compressed. */
const SMB_LETTERS = 0x53_4d_42;
const SMB_FIRST_MIN = 0xfc;

export function isSmb(view: DataView, offset: number, end: number): boolean {
  if (end - offset < SESSION_HEADER_BYTES + 4 || view.getUint8(offset) !== 0) return false;
  const magic = view.getUint32(offset + SESSION_HEADER_BYTES);
  return (magic & 0xff_ffff) === SMB_LETTERS && magic >>> 24 >= SMB_FIRST_MIN;
}

/** A request for a NetBIOS session (RFC 1002 section 4.3.2): type, flags, length, two encoded names of 34 bytes. */
const SESSION_REQUEST = 0x8100_0044;
const ENCODED_NAME_BYTES = 0x20;

export function isNetBiosSession(view: DataView, offset: number, end: number): boolean {
  return end - offset > 4 && view.getUint32(offset) === SESSION_REQUEST && view.getUint8(offset + 4) === ENCODED_NAME_BYTES;
}
