import { Drop } from '../ring/drop-reason.js';
import { EtherType } from './ether-type.js';
import type { LinkLayer } from './link-layer.js';
import { readLlc } from './llc.js';

/** IEEE 802.11 MAC header (section 9.2.4): frame control in two bytes, little-endian, of which the second are flags. */
const CONTROL_BYTES = 2;
const SEQUENCE = 22;
const FRAGMENT_NUMBER_MASK = 0x0f;
const HEADER_BYTES = 24;
const ADDRESS_BYTES = 6;
const QOS_BYTES = 2;
/** High-throughput control, which the order flag announces in frames with QoS. */
const HT_CONTROL_BYTES = 4;

const TYPE_MASK = 0x0c;
const TYPE_MANAGEMENT = 0x00;
const TYPE_CONTROL = 0x04;
const TYPE_DATA = 0x08;
const VERSION_AND_TYPE_MASK = 0x0f;
const SUBTYPE_NO_DATA = 0x40;
const SUBTYPE_QOS = 0x80;

const FLAGS_BOTH_SYSTEMS = 0x03;
const FLAG_PROTECTED = 0x40;
const FLAG_ORDER = 0x80;

/** QoS control: the frame holds several, each with addresses and a length of its own in front (section 9.3.2.2). */
const QOS_AGGREGATE = 0x80;
const SUBFRAME_HEADER_BYTES = 14;

/**
 * Which of the two `EtherType`s of 802.11 a frame between access point and controller is: Cisco's write its fields of two bytes the
 * other way round, which shows where only the second byte is the first of a data frame.
 */
export function ieee80211ByOrder(view: DataView, offset: number, end: number): EtherType {
  if (end - offset < CONTROL_BYTES || isData(view.getUint8(offset))) return EtherType.Ieee80211;
  return isData(view.getUint8(offset + 1)) ? EtherType.Ieee80211Turned : EtherType.Ieee80211;
}

/** Whether this is the first byte of a data frame, whose version is always 0. */
function isData(control: number): boolean {
  return (control & VERSION_AND_TYPE_MASK) === TYPE_DATA;
}

/**
 * Reads the header of a data frame and the LLC behind it; of an aggregate, the first frame. `isPadded` says that the header is
 * filled up to a multiple of four bytes, as some cards do; `out.etherType` that its fields are turned. All other frames end here, by name. Allocates nothing.
 */
export function readIeee80211(view: DataView, end: number, isPadded: boolean, out: LinkLayer): Drop {
  const offset = out.offset;
  if (end - offset < CONTROL_BYTES) return Drop.LinkTruncated;
  /** Where the lower byte of a field of two bytes is. */
  const low = out.etherType === EtherType.Ieee80211Turned ? 1 : 0;
  const control = view.getUint8(offset + low);
  const flags = view.getUint8(offset + 1 - low);
  switch (control & TYPE_MASK) {
    case TYPE_MANAGEMENT:
      return Drop.WlanManagement;
    case TYPE_CONTROL:
      return Drop.WlanControl;
    case TYPE_DATA:
      break;
    default:
      return Drop.NotIp;
  }
  if ((control & SUBTYPE_NO_DATA) !== 0) return Drop.WlanNoData;
  if ((flags & FLAG_PROTECTED) !== 0) return Drop.WlanProtected;
  const isQos = (control & SUBTYPE_QOS) !== 0;
  let bytes = HEADER_BYTES;
  if ((flags & FLAGS_BOTH_SYSTEMS) === FLAGS_BOTH_SYSTEMS) bytes += ADDRESS_BYTES;
  const qosOffset = offset + bytes;
  if (isQos) bytes += (flags & FLAG_ORDER) === 0 ? QOS_BYTES : QOS_BYTES + HT_CONTROL_BYTES;
  if (isPadded) bytes = (bytes + 3) & ~3;
  if (end - offset < bytes) return Drop.LinkTruncated;
  if ((view.getUint8(offset + SEQUENCE + low) & FRAGMENT_NUMBER_MASK) !== 0) return Drop.WlanFragment;
  if (isQos && (view.getUint8(qosOffset + low) & QOS_AGGREGATE) !== 0) bytes += SUBFRAME_HEADER_BYTES;
  out.offset = offset + bytes;
  return readLlc(view, end, out);
}
