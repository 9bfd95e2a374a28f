import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { giveToOwner, SetupError, say, secondsSince } from './say.mjs';
import { hasCompiler, hasPcapHeaders, installSystemPackages, missingSystemPackages } from './system.mjs';

const STAMP = path.join('node_modules', '.flowberry.json');
const CAP_BINARY = path.join('node_modules', 'cap', 'build', 'Release', 'cap.node');
const SQLITE_BINARY = path.join('node_modules', 'better-sqlite3', 'build', 'Release', 'better_sqlite3.node');

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    // Missing or cut short: either way there is nothing to go by.
    return null;
  }
}

/** What the installed packages depend on: the lock file, and what native modules were compiled for. */
function fingerprint(root) {
  const lock = createHash('sha256').update(readFileSync(path.join(root, 'package-lock.json')));
  return `${lock.digest('hex')} ${process.platform}-${process.arch}-${process.versions.modules}`;
}

/** `cap` aborts the process when an interface goes down, unless it was compiled without its assertions. */
function capState(root) {
  const file = path.join(root, CAP_BINARY);
  if (!existsSync(file)) return 'missing';
  return readFileSync(file).includes('__assert') ? 'asserting' : 'sound';
}

export function packagesAreDone(root) {
  const stamp = readJson(path.join(root, STAMP));
  if (stamp?.fingerprint !== fingerprint(root) || !existsSync(path.join(root, SQLITE_BINARY))) return false;
  if (stamp.cap === 'sound') return existsSync(path.join(root, CAP_BINARY));
  // Without the headers cap was left out; once they are there, or root may fetch them, it is due. What failed to compile is not
  // tried again and again.
  return stamp.cap === 'failed' || (!(hasCompiler() && hasPcapHeaders()) && (stamp.isAptTried || process.getuid?.() !== 0));
}

/** Whether `node_modules` holds exactly what the lock file names, by whomever it was installed. */
function isInstalled(root) {
  const wanted = readJson(path.join(root, 'package-lock.json'))?.packages ?? {};
  const found = readJson(path.join(root, 'node_modules', '.package-lock.json'))?.packages;
  if (!found) return false;
  const isSame = (name) => wanted[name]?.version === found[name].version && wanted[name]?.integrity === found[name].integrity;
  // Optional packages are mostly builds for other machines.
  const isComplete = Object.keys(wanted).every(
    (name) => name === '' || wanted[name].optional || wanted[name].devOptional || found[name],
  );
  return isComplete && Object.keys(found).every(isSame);
}

/** Whether the native modules that everything needs load in this Node. */
function nativeModulesLoad(root) {
  const script = "new (require('better-sqlite3'))(':memory:').close(); require('koffi');";
  const { status, stderr } = spawnSync(process.execPath, ['-e', script], { cwd: root, encoding: 'utf8' });
  return { ok: status === 0, reason: stderr.split('\n').find((line) => line.startsWith('Error:')) ?? stderr.trim() };
}

/** Headers of this very Node where its distribution brings them; node-gyp downloads them otherwise. */
function nodeHeaders() {
  const prefix = path.dirname(path.dirname(process.execPath));
  const config = path.join(prefix, 'include', 'node', 'node_version.h');
  if (process.env.npm_config_nodedir || !existsSync(config)) return {};
  const text = readFileSync(config, 'utf8');
  const version = ['MAJOR', 'MINOR', 'PATCH'].map((part) => text.match(`NODE_${part}_VERSION (\\d+)`)?.[1]).join('.');
  return version === process.versions.node ? { npm_config_nodedir: prefix } : {};
}

/** Without its assertions `cap` survives an interface that goes down; a path with blanks would be several flags. */
function compilerFlags(root) {
  const header = path.join(root, 'deploy', 'setup', 'object-wrap.h');
  return [process.env.CXXFLAGS, '-DNDEBUG', /\s/.test(header) ? '' : `-include ${header}`].filter(Boolean).join(' ');
}

function npm(root, ...args) {
  const script = process.env.npm_execpath ?? '';
  const isNpm = path.basename(script) === 'npm-cli.js';
  const env = { ...process.env, ...nodeHeaders(), CXXFLAGS: compilerFlags(root) };
  const options = { cwd: root, env, encoding: 'utf8', maxBuffer: 2 ** 28 };
  const common = ['--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  const { status, stdout, stderr, error } = isNpm
    ? spawnSync(process.execPath, [script, ...args, ...common], options)
    : spawnSync('npm', [...args, ...common], options);
  return { ok: status === 0, output: error ? error.message : `${stdout}${stderr}`.trimEnd() };
}

function installAll(root) {
  const startedMs = performance.now();
  say('installing packages; where native modules have to be compiled this takes a few minutes');
  const { ok, output } = npm(root, 'ci');
  const missing = missingSystemPackages();
  const hint = missing.includes('g++') ? `\nA compiler may be what is missing: sudo apt-get install -y ${missing.join(' ')}` : '';
  if (!ok) throw new SetupError(`npm ci failed\n${output}${hint}`);
  const loaded = nativeModulesLoad(root);
  if (!loaded.ok) throw new SetupError(`npm ci left native modules that do not load: ${loaded.reason}${hint}`);
  say(`packages installed (${secondsSince(startedMs)})`);
}

/** Compiles `cap` where that is possible; it is optional, so a failure is told and no more. */
function addCap(root) {
  const before = capState(root);
  if (before === 'sound') return 'sound';
  if (!(hasCompiler() && hasPcapHeaders())) return 'left out';
  const { output } = before === 'missing' ? npm(root, 'install', '--no-save') : npm(root, 'rebuild', 'cap');
  const isSound = capState(root) === 'sound';
  say(isSound ? 'the cap backend is built' : `the cap backend could not be built; everything else works\n${output}`);
  return isSound ? 'sound' : 'failed';
}

/** Brings `node_modules` to what the lock file says, with native modules for this Node. */
export function installPackages(root) {
  installSystemPackages();
  try {
    if (!isInstalled(root) || !nativeModulesLoad(root).ok) installAll(root);
    const stamp = { fingerprint: fingerprint(root), cap: addCap(root), isAptTried: process.getuid?.() === 0 };
    writeFileSync(path.join(root, STAMP), JSON.stringify(stamp));
  } finally {
    giveToOwner(root, 'node_modules');
  }
}
