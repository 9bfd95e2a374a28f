import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { giveToOwner, SetupError, say, secondsSince } from './say.mjs';

const STAMP = path.join('dist', '.build');
const INPUTS = ['src', 'bench', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];

/** Names, sizes and times of everything that the build reads. */
function fingerprint(root) {
  const hash = createHash('sha256');
  const add = (name) => {
    const file = path.join(root, name);
    const stat = statSync(file, { throwIfNoEntry: false });
    if (!stat) return;
    if (stat.isDirectory()) for (const entry of readdirSync(file).sort()) add(path.join(name, entry));
    else hash.update(`${name}\0${stat.size}\0${stat.mtimeMs}\n`);
  };
  for (const name of INPUTS) add(name);
  return hash.digest('hex');
}

export function buildIsDone(root) {
  const stamp = path.join(root, STAMP);
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint(root);
}

/** The dashboard is served as it is written; the library that it draws with comes beside it. */
function copyDashboard(root, fresh) {
  const folder = path.join('src', 'api', 'dashboard');
  if (!existsSync(path.join(root, folder))) return;
  const target = path.join(fresh, folder);
  cpSync(path.join(root, folder), target, { recursive: true });
  const uplot = path.join(root, 'node_modules', 'uplot', 'dist');
  copyFileSync(path.join(uplot, 'uPlot.iife.min.js'), path.join(target, 'uplot.js'));
  copyFileSync(path.join(uplot, 'uPlot.min.css'), path.join(target, 'uplot.css'));
}

/**
 * Compiles into an empty folder and puts that in the place of `dist`, so that nothing stale stays and whoever starts a thread
 * from `dist` meanwhile finds it whole. As `tsc` itself does, it writes even what has type errors; but then it fails.
 */
export function build(root) {
  const startedMs = performance.now();
  const inputs = fingerprint(root);
  const [dist, fresh, old] = ['dist', 'dist.new', 'dist.old'].map((name) => path.join(root, name));
  const remove = (folder) => rmSync(folder, { recursive: true, force: true });
  remove(fresh);
  const compiler = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const args = [compiler, '-p', 'tsconfig.build.json', '--outDir', fresh, '--pretty', 'false'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  if (existsSync(fresh)) {
    const main = path.join(fresh, 'src', 'main.js');
    if (existsSync(main)) chmodSync(main, 0o755);
    copyDashboard(root, fresh);
    if (status === 0) writeFileSync(path.join(fresh, path.basename(STAMP)), inputs);
    remove(old);
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(fresh, dist);
    remove(old);
    giveToOwner(root, 'dist');
  }
  if (status !== 0) throw new SetupError(`the build failed\n${stdout}${stderr}`.trimEnd());
  say(`built (${secondsSince(startedMs)})`);
}
