import type { Config } from '../config.js';
import { type Check, type Finding, fail, ok, unknown, warn } from './check.js';
import type { Host } from './host.js';
import { unitText } from './unit.js';

const NET = '/sys/class/net';
const CAP_NET_RAW = 1n << 13n;
const FLAG_UP = 0x1;
const SPEED_MBIT_MIN = 1000;

/** Interfaces to look at: those of the configuration, `auto` as that of the default route; empty for `any` and where there is none. */
function interfacesOf(host: Host, { captureInterface }: Config): string[] {
  if (captureInterface === 'any') return [];
  if (captureInterface !== 'auto') return captureInterface.split(',');
  const routes = (host.text('/proc/net/route') ?? '').split('\n').map((line) => line.trim().split(/\s+/));
  const found = routes.filter(
    ([, destination, , flags]) => destination === '00000000' && (Number.parseInt(flags ?? '', 16) & 1) !== 0,
  );
  found.sort((a, b) => Number(a[6]) - Number(b[6]));
  return found.slice(0, 1).flatMap(([name]) => name ?? []);
}

/** The worst of what `look` finds for the interfaces, or why there is nothing to look at. */
function worst(host: Host, config: Config, look: (name: string) => Finding): Finding {
  const names = interfacesOf(host, config).filter((name) => host.has(`${NET}/${name}`));
  if (names.length === 0) return unknown('there is no single interface to look at');
  const order = ['fail', 'warn', 'unknown', 'ok'];
  return names.map(look).sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict))[0] as Finding;
}

function captureRight(host: Host): Finding {
  const effective = /^CapEff:\s*([\da-f]+)$/m.exec(host.text('/proc/self/status') ?? '')?.[1];
  if (effective === undefined) return unknown('the kernel does not tell which rights this process has');
  if ((BigInt(`0x${effective}`) & CAP_NET_RAW) !== 0n) return ok('this user may capture (CAP_NET_RAW)');
  if (/^AmbientCapabilities=.*\bCAP_NET_RAW\b/m.test(unitText(host) ?? ''))
    return ok('this user may not capture, and the service may (AmbientCapabilities=CAP_NET_RAW)');
  return fail(
    'this user may not capture: CAP_NET_RAW is missing',
    `sudo setcap cap_net_raw+ep "$(readlink -f "$(command -v node)")"`,
  );
}

function interfaceThere(host: Host, config: Config): Finding {
  if (config.captureInterface === 'any') return ok('all interfaces are watched');
  const names = interfacesOf(host, config);
  if (names.length === 0) return fail('no interface has a default route; name one: capture.interface', 'flowberry interfaces');
  for (const name of names) {
    if (!host.has(`${NET}/${name}`)) return fail(`there is no interface ${name}`, 'flowberry interfaces');
    const flags = host.number(`${NET}/${name}/flags`);
    if (flags === null) return unknown(`${name} does not tell whether it is up`);
    if ((flags & FLAG_UP) === 0) return fail(`${name} is switched off`, `sudo ip link set ${name} up`);
  }
  return ok(`${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} there and up`);
}

function link(host: Host, config: Config): Finding {
  return worst(host, config, (name) => {
    const carrier = host.number(`${NET}/${name}/carrier`);
    if (carrier === null) return unknown(`${name} does not tell whether it has a link`);
    if (carrier === 0) return fail(`${name} has no link: cable, or port of the switch`, `sudo ethtool ${name}`);
    const speed = host.number(`${NET}/${name}/speed`);
    if (speed === null || speed <= 0) return ok(`${name} has a link`);
    const duplex = host.text(`${NET}/${name}/duplex`);
    if (duplex === 'half') return warn(`${name} runs at half duplex and will lose packets`, `sudo ethtool -s ${name} autoneg on`);
    if (speed < SPEED_MBIT_MIN)
      return warn(`${name} runs at ${speed} Mbit/s: a mirror port may have more to say`, `sudo ethtool ${name}`);
    return ok(`${name} runs at ${speed} Mbit/s`);
  });
}

function offloads(host: Host, config: Config): Finding {
  return worst(host, config, (name) => {
    const found = host.probes.mergers(name);
    if (found === null) return unknown(`${name} does not tell about its offloads`);
    if (found.length === 0) return ok(`${name} hands over packets as they were on the wire`);
    const what = found.join(' and ');
    return warn(
      `${name} merges packets (${what}): bytes are right, packets are fewer and larger than on the wire`,
      `sudo ethtool -K ${name} ${found.map((word) => `${word} off`).join(' ')}`,
    );
  });
}

function ringSlots(host: Host, config: Config): Finding {
  return worst(host, config, (name) => {
    const found = host.probes.receiveSlots(name);
    if (found === null || found.slotsMax === 0) return unknown(`${name} does not tell about its slots`);
    const { slots, slotsMax } = found;
    if (slots >= slotsMax) return ok(`${name} uses all of its ${slotsMax} slots`);
    return warn(`${name} uses ${slots} of ${slotsMax} slots: bursts may overrun it`, `sudo ethtool -G ${name} rx ${slotsMax}`);
  });
}

async function port(host: Host, { apiAddress, apiPort }: Config): Promise<Finding> {
  if (apiPort === 0) return ok('a free port is taken');
  const owner = await host.probes.portOwner(apiAddress, apiPort);
  const where = `${apiAddress}, port ${apiPort}`;
  if (owner === 'flowberry') return ok(`flowberry answers on ${where}`);
  if (owner === 'nobody') return ok(`${where} is free; flowberry does not run`);
  return fail(`something else has ${where}: stop it, or choose another api.port`, `sudo ss -ltnp 'sport = :${apiPort}'`);
}

export const NETWORK_CHECKS: readonly Check[] = [
  { name: 'capture-right', run: captureRight },
  { name: 'interface', run: interfaceThere },
  { name: 'link', run: link },
  { name: 'offloads', run: offloads },
  { name: 'ring-slots', run: ringSlots },
  { name: 'port', run: port },
];
