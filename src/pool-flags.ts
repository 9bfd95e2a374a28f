/** Flags of Node that the threads of a pool take over: code to load first, and profiles. */
const TAKEN_OVER = ['--import', '--require', '-r', '--cpu-prof'];

/**
 * The flags of Node for the threads of a Piscina pool, in a process that was started with the flags `own`.
 *
 * Piscina tries `require` before `import`. Ending a worker while it requires an ES module aborts the whole process on Node 20
 * ("IsGraphAsync must be used on an instantiated module"); without that ability it goes on to `import`, which is safe. A thread with
 * flags inherits none, and refuses to start with those of V8 (`--max-old-space-size`), which hold for the whole process anyway.
 */
export function poolFlags(own: readonly string[] = process.execArgv): string[] {
  const flags = ['--no-experimental-require-module'];
  for (const [index, flag] of own.entries()) {
    if (!TAKEN_OVER.some((name) => flag.startsWith(name))) continue;
    flags.push(flag);
    const value = own[index + 1];
    if (!flag.includes('=') && value !== undefined && !value.startsWith('-')) flags.push(value);
  }
  return flags;
}
