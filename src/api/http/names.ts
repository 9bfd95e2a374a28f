import { isIP } from 'node:net';
import { withoutMapping } from './remote.js';

/** `localhost`, an IPv4 address, an IPv6 address in brackets, or a name; with or without a port. */
const HOST = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::(\d{1,5}))?$/i;

/** What a Host header, or the end of an Origin header, names; null for what is neither. */
function readHost(text: string): { readonly name: string; readonly port: string } | null {
  const match = HOST.exec(text);
  if (match === null) return null;
  return { name: (match[1] ?? match[2] ?? '').toLowerCase().replace(/\.$/, ''), port: match[3] ?? '' };
}

/**
 * The names under which the API may be asked. A web page that has its own name resolve to our address (DNS rebinding) sends that name
 * as the host, and is refused; a page of another origin that makes a browser ask us sends its origin, and is refused.
 */
export class AllowedNames {
  private readonly names: ReadonlySet<string>;

  /** `hosts` is the option `api.hosts`. */
  constructor(hosts: string) {
    this.names = new Set(hosts === '' ? [] : hosts.toLowerCase().split(','));
  }

  /**
   * Whether a Host header names this machine: `localhost`, a loopback address, the address that the connection came to, or a name of
   * `api.hosts`. A request without the header names nothing.
   */
  isHost(host: string | undefined, localAddress: string | undefined): boolean {
    const named = readHost(host ?? '');
    if (named === null) return false;
    const { name } = named;
    if (name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'))) return true;
    if (isIP(name) !== 0) return isIP(name) === isIP(bare(localAddress)) && name === bare(localAddress);
    return this.names.has(name);
  }

  /** Whether an Origin header is that of our own pages, or of a name of `api.hosts`. `host` is a Host header that was allowed. */
  isOrigin(origin: string, host: string): boolean {
    const named = readHost(/^https?:\/\/(.+)$/i.exec(origin)?.[1] ?? '');
    if (named === null) return false;
    const own = readHost(host);
    return (named.name === own?.name && named.port === own.port) || this.names.has(named.name);
  }
}

const bare = (address: string | undefined): string => withoutMapping(address ?? '').split('%')[0] as string;
