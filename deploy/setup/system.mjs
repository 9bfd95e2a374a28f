import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { say } from './say.mjs';

const HEADER_FOLDERS = ['/usr/include', '/usr/local/include', '/opt/homebrew/include'];

function findProgram(...names) {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  return names.some((name) => folders.some((folder) => folder !== '' && existsSync(path.join(folder, name))));
}

/** Whether native modules can be compiled here: what node-gyp calls. */
export function hasCompiler() {
  return findProgram('c++', 'g++', 'clang++') && findProgram('make') && findProgram('python3');
}

/** Whether pcap.h is where a compiler looks for it; on macOS it is part of the system's own headers. */
export function hasPcapHeaders() {
  return process.platform === 'darwin' || HEADER_FOLDERS.some((folder) => existsSync(path.join(folder, 'pcap.h')));
}

/** The Debian packages that are missing, in the words of apt. */
export function missingSystemPackages() {
  const missing = hasCompiler() ? [] : ['g++', 'make', 'python3'];
  return hasPcapHeaders() ? missing : [...missing, 'libpcap-dev'];
}

/**
 * Installs what is missing where that is possible, and says how where it is not. Neither is fatal here: without libpcap's
 * headers only the `cap` backend is missing, and a compiler is needed only where npm finds no prebuilt module.
 */
export function installSystemPackages() {
  const missing = missingSystemPackages();
  if (missing.length === 0) return;
  const isApt = findProgram('apt-get');
  if (isApt && process.getuid?.() === 0) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const apt = (...args) => spawnSync('apt-get', args, { env, encoding: 'utf8' });
    apt('update');
    const { status, stderr } = apt('install', '-y', '--no-install-recommends', ...missing);
    if (status === 0) say(`installed ${missing.join(' ')}`);
    else say(`apt-get could not install ${missing.join(' ')}: ${stderr.trim().split('\n').at(-1)}`);
  }
  const left = missingSystemPackages();
  if (left.length === 0) return;
  const what = left.includes('g++') ? 'native modules may need a compiler' : 'everything works without, save the cap backend';
  const how = isApt ? `sudo apt-get install -y --no-install-recommends ${left.join(' ')}` : `install ${left.join(' ')}`;
  say(`missing: ${left.join(' ')} (${what}); to add: ${how}`);
}
