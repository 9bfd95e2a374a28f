/** What differs between machines: the Node that the package brings along, and the modules compiled for it. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { SetupError, say } from '../setup/say.mjs';
import { tree } from './stage.mjs';

/**
 * The Node of the package, with long-term support. Debian 12 and Raspberry Pi OS of that age bring 18, and a module compiled
 * for one version does not load in the next; so the package depends on nobody's Node. From the npm registry, as the package `node` has
 * it. Not 24: its headers (24.21) have each object of a native module end a hook of its environment, and where the garbage collector frees
 * a database without one, the process aborts (seen with better-sqlite3 12.11.1 compiled from source). The checksums are those of the registry on the day that the version was chosen.
 */
export const NODE_VERSION = '22.23.3';
const NODE_INTEGRITY = {
  x64: 'sha512-qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==',
  arm64: 'sha512-l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==',
};

/** By Debian's name for the machine: Node's name, the number in ELF headers (e_machine), the prefix of the cross compiler. */
export const MACHINES = {
  amd64: { node: 'x64', elf: 62, compiler: 'x86_64-linux-gnu' },
  arm64: { node: 'arm64', elf: 183, compiler: 'aarch64-linux-gnu' },
};

function run(program, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 2 ** 28, ...options });
  if (error) throw new SetupError(`${program}: ${error.message}`);
  if (status !== 0) throw new SetupError(`${program} ${args.join(' ')} failed\n${stdout}${stderr}`.trimEnd());
  return stdout;
}

/** Fetches one package of the npm registry, checks it, and gives the folder with its content. */
function fetchPackage(cache, name, version, integrity) {
  const folder = path.join(cache, `${name.replace(/[@/]/g, '_')}-${version}`);
  if (existsSync(folder)) return path.join(folder, 'package');
  mkdirSync(cache, { recursive: true });
  say(`fetching ${name} ${version}`);
  const file = path.join(
    cache,
    JSON.parse(run('npm', ['pack', '--json', '--silent', `${name}@${version}`], { cwd: cache }))[0].filename,
  );
  const found = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;
  if (found !== integrity) throw new SetupError(`${name} ${version} is not what it was: ${found}`);
  mkdirSync(`${folder}.new`, { recursive: true });
  run('tar', ['-xzf', file, '-C', `${folder}.new`]);
  renameSync(`${folder}.new`, folder);
  rmSync(file);
  return path.join(folder, 'package');
}

/** Compiles better-sqlite3 for the Node of the package, and gives the file. */
function compileSqlite(cache, machine, headers) {
  const { version } = JSON.parse(readFileSync(path.join(tree, 'node_modules', 'better-sqlite3', 'package.json'), 'utf8'));
  const folder = path.join(cache, `better-sqlite3-${version}-node-${NODE_VERSION}-${machine.node}`);
  const file = path.join(folder, 'build', 'Release', 'better_sqlite3.node');
  if (existsSync(file)) return file;
  say(`compiling better-sqlite3 ${version} for ${machine.node}`);
  rmSync(folder, { recursive: true, force: true });
  cpSync(path.join(tree, 'node_modules', 'better-sqlite3'), folder, { recursive: true });
  rmSync(path.join(folder, 'build'), { recursive: true, force: true });
  const nodeGyp = path.join(
    run('npm', ['root', '-g', '--silent']).trim(),
    'npm',
    'node_modules',
    'node-gyp',
    'bin',
    'node-gyp.js',
  );
  const isNative = machine.node === process.arch;
  const tool = (name) => (isNative ? name : `${machine.compiler}-${name}`);
  const args = ['rebuild', '--release', `--arch=${machine.node}`, `--target=${NODE_VERSION}`];
  // By the environment, which node-gyp heeds before its arguments, and where npm puts what its user has configured.
  const env = {
    ...process.env,
    npm_config_nodedir: headers,
    CC: tool('gcc'),
    CXX: tool('g++'),
    AR: tool('ar'),
    LINK: tool('g++'),
  };
  if (!isNative && spawnSync(tool('g++'), ['--version']).error)
    throw new SetupError(`no compiler for ${machine.node}: sudo apt-get install -y g++-${machine.compiler}`);
  run(process.execPath, [nodeGyp, ...args], { cwd: folder, env });
  return file;
}

/** Puts Node and the native modules for one machine into a staged installation. */
export function addRuntime(target, cache, machine) {
  const node = fetchPackage(cache, `node-linux-${machine.node}`, NODE_VERSION, NODE_INTEGRITY[machine.node]);
  mkdirSync(path.join(target, 'bin'));
  cpSync(path.join(node, 'bin', 'node'), path.join(target, 'bin', 'node'));
  cpSync(path.join(node, 'LICENSE'), path.join(target, 'bin', 'LICENSE'));
  const sqlite = path.join(target, 'node_modules', 'better-sqlite3', 'build', 'Release');
  mkdirSync(sqlite, { recursive: true });
  cpSync(compileSqlite(cache, machine, node), path.join(sqlite, 'better_sqlite3.node'));
  const lock = JSON.parse(readFileSync(path.join(tree, 'package-lock.json'), 'utf8')).packages;
  const koffi = `@koromix/koffi-linux-${machine.node}`;
  const { version, integrity } = lock[`node_modules/${koffi}`];
  // Debian has glibc; the file for musl stays behind.
  const filter = (source) => !path.basename(source).startsWith('musl_');
  cpSync(fetchPackage(cache, koffi, version, integrity), path.join(target, 'node_modules', koffi), { recursive: true, filter });
}

/** Files that the machine itself runs, with the number of the machine that they are for. */
export function nativeFiles(folder) {
  return readdirSync(folder, { recursive: true }).flatMap((name) => {
    const file = path.join(folder, String(name));
    if (!/\.node$|\/bin\/node$/.test(file)) return [];
    const header = readFileSync(file).subarray(0, 20);
    return [{ file, machine: header.readUInt32BE(0) === 0x7f454c46 ? header.readUInt16LE(18) : 0 }];
  });
}
