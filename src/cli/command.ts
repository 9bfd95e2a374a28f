import type { Command } from 'commander';

/**
 * Runs what a command does, and keeps its exit code. What that is, is loaded when it is called, so that no command pays for the others'
 * libraries.
 */
export type Runner = (command: () => Promise<number> | number) => () => Promise<void>;

/** A command below `parent`; what commander refuses is thrown, and said by whoever catches it. */
export function command(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
}
