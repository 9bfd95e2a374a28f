import { addressBytes, ipv6Text } from '../store/reader/address-text.js';

const IPV6_BYTES = 16;

/** An address as rows and slots show it (RFC 5952); what is no address of IPv6 stays as it is. */
export function canonicalAddress(text: string): string {
  const bytes = addressBytes(text);
  if (bytes?.length !== IPV6_BYTES) return text;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return ipv6Text(
    Int32Array.from([0, 4, 8, 12], (offset) => view.getInt32(offset)),
    0,
  );
}
