import { isThrottled, isUnderVoltage } from '../ring/host-layout.js';
import { HEALTH_LIMITS, type HealthReason, reason } from './health-reasons.js';
import type { HostSnapshot } from './host-snapshot.js';

/** These modes lose nothing: chores come later. They are shown and are no reason. */
const HARMLESS = '_chores_slowed';

/** What is wrong with the machine, and what flowberry does less of. */
export function judgeHost(host: HostSnapshot): HealthReason[] {
  const reasons: HealthReason[] = [];
  const { temperatureC } = host;
  const bits = host.throttleBits ?? 0;
  if (temperatureC !== null && temperatureC >= HEALTH_LIMITS.temperatureMax)
    reasons.push(reason('host_hot', `the CPU has ${temperatureC.toFixed(1)} °C`));
  if (isThrottled(bits)) reasons.push(reason('host_throttled', 'the firmware slows the CPU down'));
  if (isUnderVoltage(bits)) reasons.push(reason('host_under_voltage', 'the supply voltage is too low'));
  if (host.log.isFailing)
    reasons.push(reason('log_failing', `the log cannot be written; ${host.log.lost} lines are lost so far`));
  const modes = host.modes.filter(({ name, isActive }) => isActive && !name.endsWith(HARMLESS)).map(({ name }) => name);
  if (modes.length > 0) reasons.push(reason('reduced_mode', `flowberry does less to go on: ${modes.join(', ')}`));
  return reasons;
}
