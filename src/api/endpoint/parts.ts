import { isIP } from 'node:net';
import { z } from 'zod';
import { DEVICE_HELP } from '../../store/reader/device-help.js';
import { MOMENT_PATTERN } from './time.js';

/** A number of things. */
export const count = z.int().nonnegative();
/** A moment, µs since 1970 UTC. */
export const us = z.int().nonnegative();
const port = z.int().min(0).max(65_535);
const text = z
  .string()
  .min(1)
  .max(253)
  .regex(/^\P{Cc}*$/u, 'it holds control characters');

/** Parameters that several endpoints have. */
export const parameter = {
  moment: (help: string) =>
    z.string().regex(MOMENT_PATTERN, 'give now, 15m, 24h, 30d, µs since 1970, or 2025-06-15T15:06:00Z').describe(help),
  limit: (value: number, max: number) => z.int().min(1).max(max).default(value).describe('Rows at most.'),
  cursor: z
    .string()
    .regex(/^[\w.-]{1,256}$/, 'give what an answer has in next_cursor')
    .describe('Where to go on: next_cursor of the answer before.'),
  ip: z
    .string()
    .max(45)
    .refine((value) => isIP(value) !== 0, 'give an IP address')
    .describe('An IP address.'),
  device: text.describe(`The ${DEVICE_HELP}.`),
  net: z
    .string()
    .max(49)
    .regex(/^[0-9a-f.:]+\/\d{1,3}$/i, 'give a network such as 192.168.1.0/24')
    .describe('A network, such as 192.168.1.0/24.'),
  port: port.describe('Port of either side.'),
  text: (help: string) => text.describe(help),
  name: z
    .string()
    .regex(/^(\*\.)?[^*\s\p{Cc}]{1,253}$/u, 'give a name, or *.example.com')
    .describe('A name; *.example.com for all names below that.'),
  protocol: z.int().min(0).max(255).describe('IP protocol number: 6 is TCP, 17 UDP, 1 ICMP, 58 ICMPv6.'),
  stepS: z
    .int()
    .min(60)
    .max(366 * 86_400)
    .multipleOf(60)
    .describe('Length of a step; chosen by the time if not given.'),
  id: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
} as const;

/** The time that an answer is about: from `since` to before `until`. */
export function timeRange(since: string) {
  return {
    since: parameter.moment('From then on.').default(since),
    until: parameter.moment('Before that.').default('now'),
  };
}

/** What every answer about a time begins with. */
export const rangeMembers = {
  from_us: us,
  to_us: us,
  /** False where packets are known to be missing: `lost_packets` of them, or those of a time without capture. */
  complete: z.boolean(),
  lost_packets: count,
};
