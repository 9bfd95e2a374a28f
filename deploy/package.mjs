#!/usr/bin/env node
/**
 * `npm run package`: builds the Debian packages in dist.package/. `--arch amd64` builds one of them. The build is the same for all
 * machines; Node and the native modules are those of the machine.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { addRuntime, MACHINES, NODE_VERSION, nativeFiles } from './package/runtime.mjs';
import { stage, tree } from './package/stage.mjs';
import { SetupError, say } from './setup/say.mjs';

const output = path.join(tree, 'dist.package');
const { version, description } = JSON.parse(readFileSync(path.join(tree, 'package.json'), 'utf8'));

function put(target, content, mode = 0o644) {
  mkdirSync(path.dirname(target), { recursive: true, mode: 0o755 });
  writeFileSync(target, content);
  chmodSync(target, mode);
}

/** Modes do not depend on the umask of whoever builds. */
function setModes(folder) {
  for (const name of ['', ...readdirSync(folder, { recursive: true })]) {
    const file = path.join(folder, String(name));
    const { mode } = statSync(file);
    chmodSync(file, statSync(file).isDirectory() || (mode & 0o100) !== 0 ? 0o755 : 0o644);
  }
}

/** The file system of the package, and what dpkg has to know. */
function lay(root, architecture) {
  const machine = MACHINES[architecture];
  const home = path.join(root, 'usr', 'lib', 'flowberry');
  mkdirSync(path.dirname(home), { recursive: true });
  // The cap backend is for other systems; the pool of threads does without its module for priorities.
  stage(home, (name) => /^node_modules\/(cap$|@koromix\/|@napi-rs\/)/.test(name));
  addRuntime(home, path.join(output, 'cache'), machine);
  const foreign = nativeFiles(home).filter((found) => found.machine !== machine.elf);
  if (foreign.length > 0) throw new SetupError(`for another machine: ${foreign.map(({ file }) => file).join(', ')}`);
  const documents = path.join(root, 'usr', 'share', 'doc', 'flowberry');
  mkdirSync(documents, { recursive: true });
  cpSync(path.join(tree, 'deploy', 'README.md'), path.join(documents, 'README.md'));
  cpSync(path.join(tree, 'LICENSE'), path.join(documents, 'copyright'));
  cpSync(path.join(tree, 'deploy', 'watchdog'), path.join(documents, 'examples', 'watchdog'), { recursive: true });
  cpSync(
    path.join(tree, 'deploy', 'systemd', 'flowberry-watchdog.conf'),
    path.join(documents, 'examples', 'flowberry-watchdog.conf'),
  );
  cpSync(path.join(tree, 'deploy', 'grafana-dashboard.json'), path.join(documents, 'examples', 'grafana-dashboard.json'));
  for (const name of ['flowberry.service', 'flowberry-backup.service', 'flowberry-backup.timer']) {
    const source = path.join(tree, 'deploy', 'systemd', name);
    put(path.join(root, 'usr', 'lib', 'systemd', 'system', name), readFileSync(source));
  }
  put(path.join(root, 'etc', 'flowberry', 'flowberry.toml'), readFileSync(path.join(tree, 'deploy', 'flowberry.toml')));
  setModes(root);
  const command = '#!/bin/sh\nexec /usr/lib/flowberry/bin/node /usr/lib/flowberry/dist/src/main.js "$@"\n';
  put(path.join(root, 'usr', 'bin', 'flowberry'), command, 0o755);
}

function control(root, architecture) {
  const files = readdirSync(root, { recursive: true })
    .map(String)
    .filter((name) => statSync(path.join(root, name)).isFile())
    .sort();
  const sum = (name) =>
    createHash('md5')
      .update(readFileSync(path.join(root, name)))
      .digest('hex');
  const bytes = files.reduce((total, name) => total + statSync(path.join(root, name)).size, 0);
  const folder = path.join(root, 'DEBIAN');
  const template = readFileSync(path.join(tree, 'deploy', 'debian', 'control'), 'utf8');
  const values = {
    VERSION: version,
    ARCHITECTURE: architecture,
    INSTALLED_KIB: Math.ceil(bytes / 1024),
    DESCRIPTION: description,
  };
  put(
    path.join(folder, 'control'),
    template.replace(/@([A-Z_]+)@/g, (_, name) => String(values[name])),
  );
  put(path.join(folder, 'md5sums'), files.map((name) => `${sum(name)}  ${name}\n`).join(''));
  put(path.join(folder, 'conffiles'), '/etc/flowberry/flowberry.toml\n');
  for (const name of ['preinst', 'postinst', 'prerm', 'postrm'])
    put(path.join(folder, name), readFileSync(path.join(tree, 'deploy', 'debian', name)), 0o755);
}

function build(architecture) {
  const root = path.join(output, `root-${architecture}`);
  const file = path.join(output, `flowberry_${version}_${architecture}.deb`);
  rmSync(root, { recursive: true, force: true });
  lay(root, architecture);
  control(root, architecture);
  const args = ['--root-owner-group', '-Zxz', '-z4', '--build', root, `${file}.new`];
  const { status, stderr, error } = spawnSync('dpkg-deb', args, { encoding: 'utf8' });
  if (status !== 0) throw new SetupError(`dpkg-deb: ${error?.message ?? stderr}`);
  renameSync(`${file}.new`, file);
  rmSync(root, { recursive: true, force: true });
  say(`${path.relative(tree, file)}: ${(statSync(file).size / 2 ** 20).toFixed(1)} MiB, with Node ${NODE_VERSION}`);
}

const index = process.argv.indexOf('--arch');
const wanted = index < 0 ? Object.keys(MACHINES) : [process.argv[index + 1]];
try {
  const unknown = wanted.find((name) => !MACHINES[name]);
  if (unknown) throw new SetupError(`no packages for ${unknown}; there are ${Object.keys(MACHINES).join(', ')}`);
  if (!existsSync(path.join(tree, 'dist', 'src', 'main.js'))) throw new SetupError('build first: npm run build');
  for (const architecture of wanted) build(architecture);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  say(error.message);
  process.exitCode = 1;
}
