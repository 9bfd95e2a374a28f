import { existsSync, lchownSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';

/** A reason to stop that the operator can act on; its message is all that is printed. */
export class SetupError extends Error {}

/** Prints one line. */
export function say(line) {
  process.stderr.write(`set-up: ${line}\n`);
}

/** Whole seconds since `startedMs`, as `performance.now()` counts. */
export function secondsSince(startedMs) {
  return `${Math.round((performance.now() - startedMs) / 1000)} s`;
}

/**
 * Gives what root has written into another user's tree (`sudo npm start`) to the tree's owner, who could not run the next
 * set-up otherwise.
 */
export function giveToOwner(root, name) {
  const { uid, gid } = statSync(root);
  const top = path.join(root, name);
  if (process.getuid?.() !== 0 || uid === 0 || !existsSync(top)) return;
  lchownSync(top, uid, gid);
  for (const entry of readdirSync(top, { recursive: true })) lchownSync(path.join(top, entry), uid, gid);
}
