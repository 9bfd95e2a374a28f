import { readdirSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { AppError } from '../errors.js';
import { linkTypeName, linkTypeOfHardware } from './hardware-type.js';

/** An interface of this machine, for people and for choosing. */
export interface InterfaceInfo {
  readonly name: string;
  /** Administratively up: it can be captured from, whether a cable is in or not. */
  readonly isUp: boolean;
  /** What the driver says of the link: `up`, `down`, `unknown`, … */
  readonly state: string;
  readonly isLoopback: boolean;
  /** In CIDR notation. */
  readonly addresses: readonly string[];
  /** Hardware address, or null where there is none. */
  readonly mac: string | null;
  /** Name of the link type that a capture delivers, or null where it is not known. */
  readonly linkType: string | null;
  /** Whether the default route leaves through it. */
  readonly isDefault: boolean;
}

const SYSFS_NET = '/sys/class/net';
const FLAG_UP = 0x1;
const FLAG_LOOPBACK = 0x8;
/** Flags of a route (linux/route.h): it is in use; it refuses instead of forwarding. */
const ROUTE_UP = 0x1;
const ROUTE_REJECT = 0x200;

interface Route {
  readonly interface: string;
  readonly metric: number;
  readonly flags: number;
}

function best(routes: readonly Route[]): string | null {
  const usable = routes.filter(({ flags }) => (flags & ROUTE_UP) !== 0 && (flags & ROUTE_REJECT) === 0);
  usable.sort((a, b) => a.metric - b.metric);
  return usable[0]?.interface ?? null;
}

/** Rows of a table in procfs, split into columns. */
function rows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.trim().split(/\s+/));
}

/** Interface of the IPv4 default route with the lowest metric in the text of `/proc/net/route`, or null. */
export function defaultRouteIpv4(text: string): string | null {
  const routes = rows(text).flatMap(([name, destination, , flags, , , metric, mask]): Route[] => {
    if (name === undefined || destination !== '00000000' || mask !== '00000000') return [];
    return [{ interface: name, metric: Number(metric), flags: Number.parseInt(flags ?? '', 16) }];
  });
  return best(routes);
}

/** Interface of the IPv6 default route with the lowest metric in the text of `/proc/net/ipv6_route`, or null. */
export function defaultRouteIpv6(text: string): string | null {
  const routes = rows(text).flatMap(([destination, prefix, , , , metric, , , flags, name]): Route[] => {
    if (name === undefined || !/^0{32}$/.test(destination ?? '') || prefix !== '00') return [];
    return [{ interface: name, metric: Number.parseInt(metric ?? '', 16), flags: Number.parseInt(flags ?? '', 16) }];
  });
  return best(routes);
}

/** Content of a file in procfs or sysfs without the line end, or null: a kernel without IPv6, an interface that just left. */
function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch {
    return null;
  }
}

function defaultRoute(): string | null {
  return defaultRouteIpv4(readText('/proc/net/route') ?? '') ?? defaultRouteIpv6(readText('/proc/net/ipv6_route') ?? '');
}

/** Names by sysfs where there is one, which knows interfaces without addresses as well. */
function names(): string[] {
  const withAddress = Object.keys(networkInterfaces());
  try {
    return readdirSync(SYSFS_NET).sort();
  } catch {
    return withAddress.sort();
  }
}

/** Every interface of this network namespace, by name. Outside Linux only those that have an address. */
export function listInterfaces(): InterfaceInfo[] {
  const systemInterfaces = networkInterfaces();
  const isDefaultName = defaultRoute();
  return names().flatMap((name): InterfaceInfo[] => {
    const addresses = systemInterfaces[name] ?? [];
    const flagsText = readText(`${SYSFS_NET}/${name}/flags`);
    // Regular files such as bonding_masters lie there too.
    if (flagsText === null && addresses.length === 0) return [];
    const flags = flagsText === null ? FLAG_UP | (addresses[0]?.internal ? FLAG_LOOPBACK : 0) : Number(flagsText);
    const hardwareType = readText(`${SYSFS_NET}/${name}/type`);
    const mac = readText(`${SYSFS_NET}/${name}/address`) ?? addresses[0]?.mac ?? '';
    return [
      {
        name,
        isUp: (flags & FLAG_UP) !== 0,
        state: readText(`${SYSFS_NET}/${name}/operstate`) ?? 'unknown',
        isLoopback: (flags & FLAG_LOOPBACK) !== 0,
        addresses: addresses.map(({ address, cidr }) => cidr ?? address),
        mac: /^(00:){5}00$/.test(mac) || mac === '' ? null : mac,
        linkType: hardwareType === null ? null : linkTypeName(linkTypeOfHardware(Number(hardwareType))),
        isDefault: name === isDefaultName,
      },
    ];
  });
}

/**
 * The interface to watch when none is named: that of the IPv4 default route, else of the IPv6 one, else the first that is up and
 * no loopback. Throws `INTERFACE_NOT_FOUND`.
 */
export function defaultInterface(): string {
  const name = defaultRoute() ?? listInterfaces().find((entry) => entry.isUp && !entry.isLoopback)?.name;
  if (name === undefined)
    throw new AppError('INTERFACE_NOT_FOUND', 'no interface has a default route or is up; name one with --interface');
  return name;
}
