#!/usr/bin/env node
/**
 * Brings a fresh machine to where flowberry runs, and does nothing where that is done already: system packages for the native
 * modules, `npm ci`, build. `npm start`, `npm test` and `npm run bench` call it first; `--build` builds in any case.
 *
 * Plain JavaScript without dependencies, since it runs before there are any. It writes to standard error, one line for each
 * step done, so that standard output stays free for `--json`.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MIN = [20, 19];
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1])) {
  console.error(`set-up: flowberry needs Node ${NODE_MIN.join('.')} or newer; this is ${process.version}`);
  process.exit(1);
}

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const isBuildForced = process.argv.includes('--build');

// Imported here and not above, so that an older Node gets as far as the line that names it.
const { buildIsDone, build } = await import('./setup/build.mjs');
const { packagesAreDone, installPackages } = await import('./setup/packages.mjs');
const { withLock } = await import('./setup/lock.mjs');
const { say, SetupError } = await import('./setup/say.mjs');

// An installed package has neither sources nor a lock file: npm and the build had their turn before it was packed.
const steps = [];
if (existsSync(path.join(root, 'package-lock.json'))) steps.push({ isDone: packagesAreDone, run: installPackages });
if (existsSync(path.join(root, 'src'))) steps.push({ isDone: buildIsDone, run: build, isForced: isBuildForced });
const isDue = (step) => step.isForced || !step.isDone(root);

try {
  // Only a set-up with something to do takes the lock, so that a tree that belongs to another user can be run as well.
  if (steps.some(isDue))
    await withLock(root, () => {
      for (const step of steps) if (isDue(step)) step.run(root);
    });
} catch (error) {
  if (!(error instanceof SetupError) && error.code !== 'EACCES' && error.code !== 'EROFS') throw error;
  say(error.message);
  process.exitCode = 1;
}
