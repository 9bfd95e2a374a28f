export { addressBytes } from '../address-bytes.js';
export { ipv4Text, ipv6Text } from '../address-text.js';
