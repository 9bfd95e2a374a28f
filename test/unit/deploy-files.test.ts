import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { OPTION_NAMES, resolveConfig } from '../../src/config.js';
import { flowberry, temporaryDirectory } from '../helpers/daemon.js';

const deploy = fileURLToPath(new URL('../../deploy', import.meta.url));
const read = (...names: readonly string[]): string => readFileSync(path.join(deploy, ...names), 'utf8');
const has = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

/** Units may be exposed so far, on systemd's scale of 10. */
const EXPOSURE_MAX = 2.5;

const scripts = [
  'install.sh',
  'lib.sh',
  'watchdog/flowberry',
  ...readdirSync(path.join(deploy, 'debian')).map((name) => `debian/${name}`),
].filter((name) => name !== 'debian/control');

describe('deploy/', () => {
  it.each(scripts)('%s is sound shell', (name) => {
    const { status, stderr } = spawnSync('sh', ['-n', path.join(deploy, name)], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  it.skipIf(!has('shellcheck'))('finds no fault with shellcheck (needs shellcheck)', () => {
    const files = scripts.filter((name) => name !== 'lib.sh').map((name) => path.join(deploy, name));
    const { stdout } = spawnSync('shellcheck', ['-x', '-e', 'SC1091', ...files], { encoding: 'utf8', cwd: path.dirname(deploy) });
    expect(stdout).toBe('');
  });

  it.skipIf(!has('systemd-analyze')).each(['flowberry.service', 'flowberry-backup.service'])(
    '%s is exposed little (needs systemd-analyze)',
    (name) => {
      const { stdout } = spawnSync('systemd-analyze', ['security', '--offline=true', path.join(deploy, 'systemd', name)], {
        encoding: 'utf8',
      });
      const level = /exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1];
      expect(Number(level)).toBeGreaterThan(0);
      expect(Number(level)).toBeLessThanOrEqual(EXPOSURE_MAX);
    },
  );

  it('gives the service CAP_NET_RAW and no other capability', () => {
    const lines = read('systemd', 'flowberry.service').split('\n');
    expect(lines.filter((line) => /Capabilit(y|ies)/.test(line)).sort()).toEqual([
      'AmbientCapabilities=CAP_NET_RAW',
      'CapabilityBoundingSet=CAP_NET_RAW',
    ]);
    for (const line of [
      'Type=notify',
      'Restart=on-failure',
      'RestartSec=5',
      'WatchdogSec=60',
      'CPUAffinity=1-3',
      'StateDirectory=flowberry',
      // A database in memory outlives the process there (store.profile = ram).
      ...['RuntimeDirectory=flowberry', 'RuntimeDirectoryMode=0700', 'RuntimeDirectoryPreserve=yes'],
    ])
      expect(lines).toContain(line);
  });

  it('has a hardware watchdog within what a Pi can count to', () => {
    expect(Number(/^RuntimeWatchdogSec=(\d+)s$/m.exec(read('systemd', 'flowberry-watchdog.conf'))?.[1])).toBeLessThanOrEqual(15);
  });

  it('has a configuration that holds, with the database in the directory of the service', () => {
    const tables = parse(read('flowberry.toml')) as Record<string, Record<string, string>>;
    const values = Object.fromEntries(
      Object.entries(tables).flatMap(([section, table]) =>
        Object.entries(table).map(([key, value]) => [`${section}.${key}`, value]),
      ),
    );
    expect(resolveConfig(values).dbPath).toBe('/var/lib/flowberry/flowberry.db');
  });

  it('calls commands, flags and variables that are there', async () => {
    const { stdout: help } = await flowberry(['--help']);
    const known = [...help.matchAll(/^ {2}([a-z]+)/gm)].map((match) => match[1]);
    const text = [...scripts, 'README.md', 'docker/Dockerfile', 'docker/compose.yaml', 'systemd/flowberry.service']
      .map((name) => read(name))
      .join('\n');
    const called = [...text.matchAll(/(?:^|[`$(]|sudo |-u flowberry )flowberry ([a-z]+)\b/gm)].map((match) => match[1] as string);
    expect(called.filter((word) => !known.includes(word))).toEqual([]);
    const variables = [...text.matchAll(/FLOWBERRY_[A-Z_]+/g)]
      .map(([name]) => name)
      .filter((name) => name !== 'FLOWBERRY_HEALTH_URL');
    const names = new Set(OPTION_NAMES.map((name) => `FLOWBERRY_${name.replace(/[.-]/g, '_').toUpperCase()}`));
    expect(variables.filter((name) => !names.has(name))).toEqual([]);
  });

  it('asks the health endpoint as the watchdog daemon has it asked', () => {
    // Nobody answers, and the service is not active here: no failure. The script knows a service that is off from one that hangs.
    const folder = temporaryDirectory();
    const call = (word: string, systemctl: string): number | null => {
      spawnSync('sh', [
        '-c',
        `printf '#!/bin/sh\\n${systemctl}\\n' > ${folder}/systemctl; printf '#!/bin/sh\\n' > ${folder}/sleep; chmod +x ${folder}/*`,
      ]);
      const env = { PATH: `${folder}:${process.env['PATH']}`, FLOWBERRY_HEALTH_URL: 'http://127.0.0.1:9' };
      return spawnSync(path.join(deploy, 'watchdog', 'flowberry'), [word], { env }).status;
    };
    expect(call('test', 'exit 3')).toBe(0);
    expect(call('test', 'exit 0')).toBe(1);
    expect(call('repair', 'exit 0')).toBe(0);
  });
});
