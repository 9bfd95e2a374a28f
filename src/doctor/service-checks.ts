import { type Check, type Finding, fail, ok, unknown, warn } from './check.js';
import type { Host } from './host.js';
import { unitText } from './unit.js';

/** Control group that systemd makes for as long as the service runs; where it lies depends on the version of control groups. */
const GROUPS = ['', '/systemd', '/unified'].map((folder) => `/sys/fs/cgroup${folder}/system.slice/flowberry.service`);
/** Longest time that the hardware watchdog of a Pi counts to. */
const HARDWARE_S_MAX = 15;

function unit(host: Host): Finding {
  const text = unitText(host);
  if (text === null)
    return warn('the service is not installed: nobody starts flowberry after a restart', 'sudo deploy/install.sh');
  if (!host.has('/etc/systemd/system/multi-user.target.wants/flowberry.service'))
    return warn('the service is installed and not enabled', 'sudo systemctl enable --now flowberry');
  if (!/^WatchdogSec=/m.test(text))
    return warn('the unit has no WatchdogSec=: a hanging flowberry is not restarted', 'systemctl edit flowberry');
  if (!host.has('/run/systemd/system')) return unknown('the service is enabled; systemd does not run here');
  if (GROUPS.some((group) => host.has(group))) return ok('the service is enabled and runs');
  return fail('the service is enabled and does not run', 'journalctl -u flowberry -n 50');
}

function watchdog(host: Host): Finding {
  const [name] = host.list('/sys/class/watchdog');
  if (name === undefined) return unknown('there is no hardware watchdog');
  const folder = `/sys/class/watchdog/${name}`;
  const state = host.text(`${folder}/state`);
  const timeout = host.number(`${folder}/timeout`);
  if (state === null) return unknown('the hardware watchdog does not tell its state');
  if (state !== 'active')
    return warn(
      'the hardware watchdog is off: a hanging kernel stays hanging',
      `printf '[Manager]\\nRuntimeWatchdogSec=${HARDWARE_S_MAX}s\\n' | sudo install -D -m 644 /dev/stdin /etc/systemd/system.conf.d/flowberry-watchdog.conf && sudo systemctl daemon-reexec`,
    );
  return ok(`the hardware watchdog is on${timeout === null ? '' : ` (${timeout} s)`}`);
}

export const SERVICE_CHECKS: readonly Check[] = [
  { name: 'unit', run: unit },
  { name: 'watchdog', run: watchdog },
];
