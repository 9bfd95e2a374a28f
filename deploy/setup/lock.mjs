import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { say } from './say.mjs';

const POLL_MS = 200;
/** How long a lock taken over from a dead owner is watched before it counts, see below. */
const SETTLE_MS = 50;

/** Whether `pid` is a set-up that still runs. After a power cut the number in the file may belong to anything. */
function isSetupRunning(pid) {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('setup.mjs');
  } catch {
    // No /proc on this system: take the process for what the file says it is.
    return true;
  }
}

function tryCreate(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  }
}

function ownerOf(file) {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return 0;
  }
}

async function acquire(file) {
  let waitingFor = 0;
  let isTakenOver = false;
  for (;;) {
    if (tryCreate(file)) {
      if (!isTakenOver) return;
      // Two processes may have found the same dead owner, and the slower one removed the lock of the faster.
      await sleep(SETTLE_MS);
      if (ownerOf(file) === process.pid) return;
    }
    const pid = ownerOf(file);
    if (isSetupRunning(pid)) {
      if (waitingFor !== pid) say(`waiting for another set-up (process ${pid})`);
      waitingFor = pid;
      await sleep(POLL_MS);
      continue;
    }
    // An empty file is one that its owner is just about to fill.
    await sleep(SETTLE_MS);
    if (ownerOf(file) !== pid) continue;
    rmSync(file, { force: true });
    isTakenOver = true;
  }
}

/** Runs `work` while no other set-up of this tree does. A lock whose owner died does not count. */
export async function withLock(root, work) {
  const file = path.join(root, 'deploy', 'setup.lock');
  await acquire(file);
  try {
    work();
  } finally {
    rmSync(file, { force: true });
  }
}
