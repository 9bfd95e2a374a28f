import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CleanRoot, rootObstacle } from '../helpers/clean-root.js';
import { temporaryDirectory } from '../helpers/daemon.js';
import { toPort } from '../helpers/live-source.js';
import { writeManyFlows } from '../helpers/many-flows.js';
import { FrameFlood, NetworkNamespace, namespaceObstacle } from '../helpers/network-namespace.js';

const tree = fileURLToPath(new URL('../..', import.meta.url));
const output = path.join(tree, 'dist.package');
/** Kept, since it takes minutes to make. */
const base = process.env['DEBIAN_ROOT'] ?? path.join(tmpdir(), 'flowberry-debian-root');
const TEST_MS_MAX = 900_000;

const { version } = JSON.parse(readFileSync(path.join(tree, 'package.json'), 'utf8')) as { version: string };
const packageFile = (architecture: string): string => path.join(output, `flowberry_${version}_${architecture}.deb`);
const isAsked = process.env['PACKAGE'] === 'all';
const obstacle = isAsked ? (rootObstacle() ?? namespaceObstacle()) : 'npm run test:package, takes minutes';

/** The same package under a later version. */
function later(file: string, name: string): string {
  const folder = path.join(temporaryDirectory(), 'later');
  execFileSync('dpkg-deb', ['-R', file, folder]);
  const control = path.join(folder, 'DEBIAN', 'control');
  writeFileSync(control, readFileSync(control, 'utf8').replace(/^Version: .*$/m, `Version: ${name}`));
  const made = path.join(path.dirname(folder), `flowberry_${name}.deb`);
  execFileSync('dpkg-deb', ['--root-owner-group', '-Znone', '-b', folder, made], { stdio: 'ignore' });
  return made;
}

/** Captures as the service's user with the one capability that the unit gives, for a few packets; gives the daemon's rights. */
async function capture(root: CleanRoot, namespace: NetworkNamespace): Promise<string> {
  const rights = ['--inh-caps=-all,+net_raw', '--ambient-caps=-all,+net_raw', '--bounding-set=-all,+net_raw', '--no-new-privs'];
  const user = ['--reuid', 'flowberry', '--regid', 'flowberry', '--clear-groups'];
  const command = ['flowberry', 'run', '--config', '/etc/flowberry/flowberry.toml', '--interface', 'capture0', '--api-port', '0'];
  const words = ['netns', 'exec', namespace.name, 'chroot', root.folder, 'setpriv', ...user, ...rights, ...command];
  const child = spawn('ip', words, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  let stopped: Record<string, unknown> = {};
  let status = '';
  for await (const line of createInterface({ input: child.stdout })) {
    const entry = JSON.parse(line) as Record<string, unknown>;
    if (entry['msg'] === 'capturing') {
      status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      const flood = namespace.run(() => new FrameFlood('peer0', [toPort(1000), toPort(1001)]));
      await flood.started();
      await flood.stop();
      child.kill('SIGTERM');
    }
    if (entry['msg'] === 'stopped') stopped = entry;
  }
  expect(await ended).toBe(0);
  expect(stopped['difference']).toBe(0);
  expect(stopped['packets_in_flows']).toBeGreaterThan(0);
  return status;
}

describe.skipIf(obstacle !== null)(`the Debian package (${obstacle ?? 'as root'})`, () => {
  it(
    'is installed, captures with CAP_NET_RAW alone, is upgraded and purged, and leaves nothing behind',
    async () => {
      const root = new CleanRoot(base);
      const namespace = new NetworkNamespace();
      onTestFinished(() => namespace.delete());
      const before = root.files();
      root.run(`dpkg -i ${root.bring(packageFile('amd64'))}`);
      expect(root.run('flowberry --version')).toContain(version);
      const installed = new Set(root.files());
      const status = await capture(root, namespace);
      expect(status).toMatch(/^CapEff:\t0000000000002000$/m);
      expect(status).toMatch(/^Umask:\t0027$/m);
      expect(status).not.toMatch(/^Uid:\t0\b/m);
      // What the daemon writes lies in its directory, and is its own.
      const written = root.files().filter((name) => !installed.has(name));
      expect(written).toContain('/var/lib/flowberry/flowberry.db');
      expect(written.filter((name) => !name.startsWith('/var/lib/flowberry/'))).toEqual([]);
      for (const name of written) expect(statSync(path.join(root.folder, name)).mode & 0o777, name).toBe(0o600);
      expect(statSync(path.join(root.folder, '/var/lib/flowberry')).mode & 0o777).toBe(0o700);
      root.run('flowberry db check --db /var/lib/flowberry/flowberry.db');

      root.run(`dpkg -i ${root.bring(later(packageFile('amd64'), '99.0'))}`);
      expect(root.files()).toContain(`/var/lib/flowberry/before-upgrade/${version}/flowberry.db`);
      await capture(root, namespace);
      root.run('flowberry db check --db /var/lib/flowberry/flowberry.db');
      // Twice is once.
      root.run('dpkg-reconfigure -f noninteractive flowberry 2>/dev/null || dpkg --configure -a');

      root.run('dpkg --remove flowberry');
      expect(root.files()).toContain('/var/lib/flowberry/flowberry.db');
      root.run('dpkg --purge flowberry');
      expect(root.files().filter((name) => !before.includes(name))).toEqual([]);
      expect(root.run('getent passwd flowberry || echo nobody')).toContain('nobody');
    },
    TEST_MS_MAX,
  );

  it.each(['amd64', 'arm64'])(
    'for %s has native files of that machine only',
    (architecture) => {
      const folder = path.join(temporaryDirectory(), 'content');
      execFileSync('dpkg-deb', ['-x', packageFile(architecture), folder]);
      const files = (readdirSync(folder, { recursive: true }) as string[]).filter((name) => /\.node$|bin\/node$/.test(name));
      expect(files.map((name) => path.basename(name)).sort()).toEqual(['better_sqlite3.node', 'koffi.node', 'node']);
      for (const name of files) {
        const header = execFileSync('readelf', ['-h', path.join(folder, name)], { encoding: 'utf8' });
        expect(header, name).toMatch(architecture === 'arm64' ? /Machine: +AArch64/ : /Machine: +Advanced Micro Devices X86-64/);
      }
      const native = architecture === 'amd64';
      const emulator = spawnSync('sh', ['-c', 'command -v qemu-aarch64-static']).stdout?.toString().trim();
      const loader = ['/usr/aarch64-linux-gnu', '/'].find((place) =>
        existsSync(path.join(place, 'lib', 'ld-linux-aarch64.so.1')),
      );
      if (!native && !(emulator && loader)) {
        console.log('not run under qemu: needs qemu-user-static and libc6-arm64-cross');
        return;
      }
      const home = path.join(folder, 'usr', 'lib', 'flowberry');
      const program = native ? [] : [emulator as string, '-L', loader as string];
      const flowberry = (...args: readonly string[]): string => {
        const [command = '', ...words] = [
          ...program,
          path.join(home, 'bin', 'node'),
          path.join(home, 'dist', 'src', 'main.js'),
          ...args,
        ];
        return execFileSync(command, words, { encoding: 'utf8' });
      };
      expect(flowberry('--version').trim()).toBe(version);
      // SQLite and the library that calls C load, and work.
      const database = path.join(temporaryDirectory(), 'flows.db');
      const file = writeManyFlows(path.join(path.dirname(database), 'many.pcap'), 200, 20);
      const { packets } = JSON.parse(flowberry('replay', file, '--db', database, '--json')) as {
        packets: { received: number; difference: number };
      };
      expect(packets).toMatchObject({ received: 200, difference: 0 });
    },
    TEST_MS_MAX,
  );
});

describe.skipIf(obstacle !== null)(`install.sh (${obstacle ?? 'as root'})`, () => {
  const install = (root: string, ...words: readonly string[]): string => {
    const { status, stdout, stderr } = spawnSync(path.join(tree, 'deploy', 'install.sh'), ['--root', root, ...words], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${stdout}${stderr}`);
    return stdout;
  };
  const filesIn = (folder: string): string[] => (readdirSync(folder, { recursive: true }) as string[]).sort();

  it(
    'installs, does nothing the second time, goes back, and takes away what it has written and nothing else',
    () => {
      const root = temporaryDirectory();
      mkdirSync(path.join(root, 'etc'));
      writeFileSync(path.join(root, 'etc', 'other'), 'not ours');
      const before = filesIn(root);
      expect(install(root)).toMatch(/version .* is installed$/m);
      const first = filesIn(root);
      expect(first).toEqual(expect.arrayContaining(['usr/local/bin/flowberry', 'etc/systemd/system/flowberry.service']));
      writeFileSync(path.join(root, 'etc/flowberry/flowberry.toml'), '# mine\n');
      expect(install(root)).toMatch(/is installed already$/m);
      expect(filesIn(root)).toEqual(first);
      expect(readFileSync(path.join(root, 'etc/flowberry/flowberry.toml'), 'utf8')).toBe('# mine\n');
      expect(() => install(root, 'rollback')).toThrow(/no version to go back to/);

      // An older version is what is there now under another name.
      const home = path.join(root, 'opt', 'flowberry');
      const [current = ''] = readdirSync(path.join(home, 'releases'));
      execFileSync('mv', [path.join(home, 'releases', current), path.join(home, 'releases', '0.0.1-old')]);
      execFileSync('ln', ['-sfn', 'releases/0.0.1-old', path.join(home, 'current')]);
      writeFileSync(path.join(root, 'var/lib/flowberry/flowberry.db'), 'as the old version left it');
      install(root);
      writeFileSync(path.join(root, 'var/lib/flowberry/flowberry.db'), 'as the new version left it');
      expect(readdirSync(path.join(home, 'releases')).sort()).toEqual(['0.0.1-old', current].sort());
      install(root, 'rollback');
      expect(execFileSync('readlink', [path.join(home, 'current')], { encoding: 'utf8' }).trim()).toBe('releases/0.0.1-old');
      expect(readFileSync(path.join(root, 'var/lib/flowberry/flowberry.db'), 'utf8')).toBe('as the old version left it');
      expect(readFileSync(path.join(root, 'var/lib/flowberry/after-upgrade/flowberry.db'), 'utf8')).toBe(
        'as the new version left it',
      );

      install(root, 'uninstall');
      expect(existsSync(path.join(root, 'var/lib/flowberry/flowberry.db'))).toBe(true);
      expect(existsSync(home)).toBe(false);
      install(root, 'uninstall', '--purge');
      const left = filesIn(root).filter((name) => !statSync(path.join(root, name)).isDirectory());
      expect(left).toEqual(before.filter((name) => name !== 'etc'));
    },
    TEST_MS_MAX,
  );

  it('leaves alone what it has not written, and refuses', () => {
    const root = temporaryDirectory();
    mkdirSync(path.join(root, 'usr/local/bin'), { recursive: true });
    writeFileSync(path.join(root, 'usr/local/bin/flowberry'), '#!/bin/sh\n');
    expect(() => install(root)).toThrow(/was not written by this script/);
    expect(() => install(root, 'uninstall', '--purge')).toThrow(/was not written by this script/);
    expect(filesIn(root)).toEqual(['usr', 'usr/local', 'usr/local/bin', 'usr/local/bin/flowberry']);
  });
});
