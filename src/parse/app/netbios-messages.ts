import type { DnsAnswers } from './dns-answers.js';
import type { DnsMessage } from './dns-message.js';
import { DnsName } from './dns-name.js';
import type { DnsSightings } from './dns-sightings.js';
import { DnsOpcode, DnsType } from './dns-type.js';
import { decodeNetbiosName, isNetbiosHost } from './netbios-name.js';

/** Data of an NB record: flags and an address, for each address that the name has (RFC 1002 section 4.2.1.3). */
const ENTRY_BYTES = 6;
const ENTRIES_MAX = 16;
const FLAG_GROUP = 0x8000;

const owner = new DnsName();

/** Whether a message registers a name, or says that it is still in use. */
export function isNetbiosRegistration({ isResponse, opcode }: DnsMessage): boolean {
  return (
    !isResponse &&
    (opcode === DnsOpcode.NetbiosRegistration ||
      opcode === DnsOpcode.NetbiosRefresh ||
      opcode === DnsOpcode.NetbiosRefreshOther ||
      opcode === DnsOpcode.NetbiosMultiHomedRegistration)
  );
}

/**
 * Takes the addresses in the NB records of a message: as answers, and as sightings of the hosts that have them. Names of groups, users
 * and services are not those of devices. Allocates nothing.
 */
export function takeNetbiosAddresses(message: DnsMessage, view: DataView, answers: DnsAnswers, sightings: DnsSightings): void {
  const { records } = message;
  records.rewind();
  while (records.next()) {
    if (records.type !== DnsType.Nb || !records.readOwner(owner)) continue;
    const suffix = decodeNetbiosName(owner);
    if (suffix < 0) continue;
    const last = Math.min(records.dataEnd, records.dataOffset + ENTRIES_MAX * ENTRY_BYTES) - ENTRY_BYTES;
    for (let at = records.dataOffset; at <= last; at += ENTRY_BYTES) {
      const address = at + 2;
      if (message.isResponse) answers.addAddress(DnsType.A, view, address, at + ENTRY_BYTES, records.ttlS);
      const isGroup = (view.getUint16(at) & FLAG_GROUP) !== 0;
      if (!isGroup && isNetbiosHost(suffix)) sightings.see(view, address, true, owner);
    }
  }
}
