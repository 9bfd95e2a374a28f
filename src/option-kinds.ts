import { isIP, isIPv4 } from 'node:net';
import { RING_BYTES_MAX } from './ring/ring.js';

/** The value types that an option can have. */
export type OptionValue = number | boolean | string;

export interface OptionEntry<T extends OptionValue> {
  readonly default: T;
  readonly isAllowed: (value: unknown) => value is T;
  /** What values are allowed, for people. */
  readonly range: string;
  readonly help: string;
  /** Command-line flag; `--section-key` where it is not given. */
  readonly flag?: string;
}

/** What an option may say about its flag. */
export interface OptionFlag {
  readonly flag?: string;
}

/** Most days that an option may name: a hundred years. */
const DAYS_MAX = 36_500;
/** A database with less has no room for a batch beside its write-ahead log. */
const FILE_BYTES_MIN = 16_777_216;
const FILE_BYTES_MAX = 1e15;

function isIntegerWithin(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
}

export function integer(value: number, min: number, max: number, help: string, extra: OptionFlag = {}): OptionEntry<number> {
  const isAllowed = (given: unknown): given is number => isIntegerWithin(given, min, max);
  return { default: value, isAllowed, range: `${min} to ${max}`, help, ...extra };
}

/** 0 leaves the choice to `memory.ts`. */
export function ringSize(min: number, help: string): OptionEntry<number> {
  const isAllowed = (given: unknown): given is number =>
    given === 0 || (isIntegerWithin(given, min, RING_BYTES_MAX) && 2 ** Math.round(Math.log2(given)) === given);
  return { default: 0, isAllowed, range: `0, or a power of two, ${min} to ${RING_BYTES_MAX}`, help };
}

/** 0 is never. */
export function days(value: number, help: string): OptionEntry<number> {
  return integer(value, 0, DAYS_MAX, `${help} 0: never.`);
}

/** 0 leaves the choice to the store. */
export function fileBytes(value: number, help: string): OptionEntry<number> {
  const isAllowed = (given: unknown): given is number => given === 0 || isIntegerWithin(given, FILE_BYTES_MIN, FILE_BYTES_MAX);
  return { default: value, isAllowed, range: `0, or ${FILE_BYTES_MIN} to ${FILE_BYTES_MAX}`, help };
}

/** 0 leaves the choice to another option or to the machine. */
export function orZero(min: number, max: number, help: string): OptionEntry<number> {
  const isAllowed = (given: unknown): given is number => given === 0 || isIntegerWithin(given, min, max);
  return { default: 0, isAllowed, range: `0, or ${min} to ${max}`, help };
}

export function boolean(value: boolean, help: string, extra: OptionFlag = {}): OptionEntry<boolean> {
  const isAllowed = (given: unknown): given is boolean => typeof given === 'boolean';
  return { default: value, isAllowed, range: 'true or false', help, ...extra };
}

export function choice<const V extends string>(
  values: readonly V[],
  value: V,
  help: string,
  extra: OptionFlag = {},
): OptionEntry<V> {
  const isAllowed = (given: unknown): given is V => values.includes(given as V);
  return { default: value, isAllowed, range: values.join(', '), help, ...extra };
}

export function text(value: string, range: string, pattern: RegExp, help: string, extra: OptionFlag = {}): OptionEntry<string> {
  const isAllowed = (given: unknown): given is string => typeof given === 'string' && pattern.test(given);
  return { default: value, isAllowed, range, help, ...extra };
}

/** Whether an address that the API may listen on is one of this machine only. */
export function isLoopbackAddress(value: string): boolean {
  return value === 'localhost' || value === '::1' || (isIPv4(value) && value.startsWith('127.'));
}

export function address(value: string, help: string): OptionEntry<string> {
  const isAllowed = (given: unknown): given is string =>
    typeof given === 'string' && (given === 'localhost' || isIP(given) !== 0);
  return { default: value, isAllowed, range: 'an IP address, or localhost', help };
}

const NETWORKS_MAX = 64;

function isNetworks(value: unknown): value is string {
  if (typeof value !== 'string') return false;
  const parts = value.split(',');
  return parts.length <= NETWORKS_MAX && parts.every((part) => part === 'private' || isNetwork(part));
}

export function networks(value: string, help: string): OptionEntry<string> {
  const range = `up to ${NETWORKS_MAX} networks such as 192.168.0.0/16 or 2001:db8::/56 with commas between them; private: those of RFC 1918, 3927 and 4193, link-local, loopback`;
  return { default: value, isAllowed: isNetworks, range, help };
}

function isNetwork(text: string): boolean {
  const [address = '', bits = '', ...more] = text.split('/');
  const version = address.includes('%') ? 0 : isIP(address);
  return version !== 0 && more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128);
}
