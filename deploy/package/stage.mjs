/**
 * Copies what an installation consists of into an empty folder: the build, the packages that it needs at run time, this folder, the
 * documents. `node deploy/package/stage.mjs DIR` does it for this machine; `package.mjs` puts other native modules in their place.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const tree = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

const DOCUMENTS = ['README.md', 'CHANGELOG.md', 'LICENSE'];
/** Sources and left-overs of native modules, tests and documents of packages: nothing of it is read at run time. */
const SUPERFLUOUS = [
  /^node_modules\/better-sqlite3\/(deps|src|build\/(?!Release$|Release\/better_sqlite3\.node$))/,
  /^node_modules\/better-sqlite3\/binding\.gyp$/,
  /^node_modules\/koffi\/(doc|vendor|lib\/native)\//,
  /^node_modules\/koffi\/.*\.(cc|hh|h|S|asm|txt|inc)$/,
  /^node_modules\/cap\/(src|deps|build\/(?!Release$|Release\/cap\.node$))/,
  /\.(d\.ts|d\.cts|d\.mts|map|md|markdown|tsbuildinfo)$/i,
];
/** Only installs better-sqlite3; none of it is loaded afterwards. */
const INSTALLERS = new Set(['prebuild-install']);

/** Paths of the packages that are needed at run time and are installed here, with those nested in others. */
export function runtimePackages() {
  const lock = JSON.parse(readFileSync(path.join(tree, 'node_modules', '.package-lock.json'), 'utf8')).packages;
  const needed = new Set();
  const add = (name, from) => {
    // As Node looks for it: in the package itself, then outwards.
    for (
      let folder = from;
      ;
      folder = folder.includes('node_modules/') ? folder.slice(0, folder.lastIndexOf('node_modules/')).replace(/\/$/, '') : ''
    ) {
      const place = path.posix.join(folder, 'node_modules', name);
      if (lock[place]) {
        if (needed.has(place)) return;
        needed.add(place);
        for (const next of Object.keys({ ...lock[place].dependencies, ...lock[place].optionalDependencies }))
          if (!INSTALLERS.has(next)) add(next, place);
        return;
      }
      if (folder === '') return;
    }
  };
  const own = JSON.parse(readFileSync(path.join(tree, 'package.json'), 'utf8'));
  for (const name of Object.keys({ ...own.dependencies, ...own.optionalDependencies })) add(name, '');
  return [...needed].sort();
}

/** Copies everything into `target`, which must not exist; packages for which `isLeftOut` answers true stay behind. */
export function stage(target, isLeftOut = () => false) {
  if (existsSync(target)) throw new Error(`${target} exists`);
  mkdirSync(target, { recursive: true, mode: 0o755 });
  const copy = (name) => {
    const filter = (source) => {
      const relative = path.relative(tree, source).split(path.sep).join('/');
      const inner = relative.slice(name.length + 1);
      if (name.startsWith('node_modules') && /(^|\/)node_modules$/.test(inner)) return false;
      return !SUPERFLUOUS.some((pattern) => pattern.test(relative)) || !relative.startsWith('node_modules/');
    };
    cpSync(path.join(tree, name), path.join(target, name), { recursive: true, dereference: true, filter });
  };
  for (const name of ['dist', ...DOCUMENTS]) if (existsSync(path.join(tree, name))) copy(name);
  for (const name of ['setup.mjs', 'setup', 'README.md', 'flowberry.toml', 'lib.sh', 'systemd', 'watchdog'])
    if (existsSync(path.join(tree, 'deploy', name))) copy(path.posix.join('deploy', name));
  for (const name of runtimePackages()) if (!isLeftOut(name)) copy(name);
  const { name, version, description, license, type, engines, bin } = JSON.parse(
    readFileSync(path.join(tree, 'package.json'), 'utf8'),
  );
  writeFileSync(
    path.join(target, 'package.json'),
    `${JSON.stringify({ name, version, description, license, type, private: true, engines, bin }, null, 2)}\n`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const target = process.argv[2];
  if (!target) throw new Error('usage: node deploy/package/stage.mjs DIR');
  stage(path.resolve(target));
}
