export { ipv4Text, ipv6Text } from '../address-text.js';
