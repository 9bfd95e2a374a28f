import { createRequire } from 'node:module';
import { getSystemErrorMap } from 'node:util';
import type koffiModule from 'koffi';

type Koffi = typeof koffiModule;
const require = createRequire(import.meta.url);
let loaded: Koffi | undefined;

/** The library that calls C. It takes some 25 ms to load in each thread, so it is loaded by whoever calls C, and not before. */
function koffi(): Koffi {
  loaded ??= require('koffi') as Koffi;
  return loaded;
}

/**
 * The C library of this process, whichever it is (glibc, musl): koffi finds the functions among the symbols that node itself is
 * linked to. Nothing is loaded before the first call, so importing this file is safe on every system.
 */
let library: ReturnType<Koffi['load']> | undefined;

/** A number, a string, or memory that the called function may read and write during the call; bigint is an address. */
type NativeArgument = number | bigint | string | NodeJS.ArrayBufferView | ReturnType<Koffi['as']> | null;

/** A function of the C library, `R` its result as JavaScript sees it. */
export type NativeFunction<R = number> = (...values: NativeArgument[]) => R;

/** Gives the function with this C declaration. Throws when the C library has none of that name. */
export function libcFunction<R = number>(declaration: string): NativeFunction<R> {
  library ??= koffi().load(null);
  return library.func(declaration);
}

/** Numbers of Linux errors that are handled by name (asm-generic/errno.h). */
export const enum Errno {
  EPERM = 1,
  ESRCH = 3,
  EINTR = 4,
  EACCES = 13,
  ENETDOWN = 100,
}

/** The error of the native call that this thread made last; valid only until its next one. */
export function lastErrno(): number {
  return koffi().errno();
}

/** `EPERM (1): operation not permitted`. */
export function errnoText(errno: number): string {
  const [name, message] = getSystemErrorMap().get(-errno) ?? ['errno', 'unknown error'];
  return `${name} (${errno}): ${message}`;
}
