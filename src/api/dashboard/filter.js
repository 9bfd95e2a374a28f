/** What a person types into the search of flows, as parameters of the API. Words are put together with "and". */

const IPV4 = /^(\d{1,3}\.){3}\d{1,3}$/;
const KEYS = {
  ip: 'ip',
  net: 'net',
  port: 'port',
  app: 'application',
  application: 'application',
  name: 'name',
  device: 'device',
  interface: 'interface',
  vlan: 'vlan_id',
  end: 'end_reason',
  bytes: 'bytes_min',
};
const PROTOCOLS = { icmp: 1, igmp: 2, tcp: 6, udp: 17, gre: 47, esp: 50, icmpv6: 58, sctp: 132 };

function guess(word) {
  const lower = word.toLowerCase();
  if (Object.hasOwn(PROTOCOLS, lower)) return ['protocol', PROTOCOLS[lower]];
  if (word.includes('/')) return ['net', word];
  if (IPV4.test(word) || (word.includes(':') && /^[0-9a-f:.]+$/i.test(word) && word.split(':').length !== 6)) return ['ip', word];
  if (/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(word)) return ['device', word];
  if (/^\d{1,5}$/.test(word)) return ['port', word];
  if (word.includes('.')) return ['name', lower];
  return ['application', lower];
}

/** Throws with a sentence for what cannot be understood. */
export function parseFilter(text) {
  const parameters = {};
  for (const word of text.trim().split(/\s+/)) {
    if (word === '') continue;
    const colon = word.indexOf(':');
    const key = word.slice(0, Math.max(colon, 0)).toLowerCase();
    const [name, value] = Object.hasOwn(KEYS, key) ? [KEYS[key], word.slice(colon + 1)] : guess(word);
    if (name in parameters) throw new Error(`Only one ${name} at a time.`);
    parameters[name] = value;
  }
  return parameters;
}
