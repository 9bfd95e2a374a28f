/** Modbus over TCP ("Messaging on TCP/IP Implementation Guide" section 3.1.3): transaction, protocol 0, length, unit, function. */
const MODBUS_HEADER_BYTES = 6;
const MODBUS_LENGTH_MAX = 254;

/** Allocates nothing, as all functions here. */
export function isModbus(view: DataView, offset: number, end: number): boolean {
  if (end - offset < MODBUS_HEADER_BYTES + 2 || view.getUint16(offset + 2) !== 0) return false;
  const bytes = view.getUint16(offset + 4);
  return bytes >= 2 && bytes <= MODBUS_LENGTH_MAX && bytes <= end - offset - MODBUS_HEADER_BYTES;
}

/** BACnet/IP (ASHRAE 135 annex J): type, function, length. */
const BACNET_TYPE = 0x81;
const BACNET_FUNCTION_MAX = 0x0c;

export function isBacnet(view: DataView, offset: number, end: number, bytes: number): boolean {
  if (end - offset < 4 || view.getUint8(offset) !== BACNET_TYPE) return false;
  return view.getUint8(offset + 1) <= BACNET_FUNCTION_MAX && view.getUint16(offset + 2) === bytes;
}

/** EtherNet/IP (CIP volume 2): a client registers its session first: command, length 4, no session, no status; little-endian. */
const ENCAPSULATION_BYTES = 24;
const REGISTER_SESSION = 0x65;

export function isEtherNetIp(view: DataView, offset: number, end: number): boolean {
  if (end - offset < ENCAPSULATION_BYTES + 4) return false;
  if (view.getUint16(offset, true) !== REGISTER_SESSION || view.getUint16(offset + 2, true) !== 4) return false;
  return view.getUint32(offset + 8) === 0;
}

/** DNP3 (IEEE 1815 section 9.2): two start bytes, length, and a header of 10 bytes; data in blocks of 16 with two bytes of checksum. */
const DNP3_START = 0x0564;
const DNP3_HEADER_BYTES = 10;
const DNP3_LENGTH_MIN = 5;
const DNP3_BLOCK_BYTES = 16;

export function isDnp3(view: DataView, offset: number, end: number): boolean {
  if (end - offset < DNP3_HEADER_BYTES || view.getUint16(offset) !== DNP3_START) return false;
  const dataBytes = view.getUint8(offset + 2) - DNP3_LENGTH_MIN;
  return dataBytes >= 0 && end - offset >= DNP3_HEADER_BYTES + dataBytes + 2 * Math.ceil(dataBytes / DNP3_BLOCK_BYTES);
}
