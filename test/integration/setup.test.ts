import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TSCONFIG = {
  compilerOptions: { target: 'ES2022', module: 'NodeNext', rootDir: '.', types: [], lib: ['ES5'] },
  include: ['src'],
};
/** Stands for npm: notes how it was called, and installs modules that load. */
const NPM = `
const fs = require('node:fs');
fs.appendFileSync('npm.log', process.argv[2] + ' ' + process.env.CXXFLAGS + '\\n');
if (fs.existsSync('npm-fails')) { console.log('E404 no such package'); process.exit(1); }
const put = (file, text) => { fs.mkdirSync(require('node:path').dirname(file), { recursive: true }); fs.writeFileSync(file, text); };
put('node_modules/better-sqlite3/index.js', 'module.exports = class { close() {} };');
put('node_modules/better-sqlite3/build/Release/better_sqlite3.node', '');
put('node_modules/koffi/index.js', '');
put('node_modules/cap/build/Release/cap.node', '');
put('node_modules/.package-lock.json', fs.readFileSync('package-lock.json'));
`;

let tree: string;

function put(file: string, content: string): void {
  mkdirSync(path.dirname(path.join(tree, file)), { recursive: true });
  writeFileSync(path.join(tree, file), content);
}

/** Runs the tree's set-up; resolves with its exit code and what it printed. */
function setup(...args: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  // Of the system's programs it sees only what is named here, so that it neither misses nor installs any.
  const env = { ...process.env, PATH: path.join(tree, 'bin'), npm_execpath: path.join(tree, 'npm-cli.js') };
  return new Promise((resolve) => {
    execFile(process.execPath, [path.join(tree, 'deploy/setup.mjs'), ...args], { env }, (error, stdout, stderr) =>
      resolve({ exitCode: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

const lockFile = (version: string): string => JSON.stringify({ packages: { 'node_modules/a': { version } } });
const npmCalls = (): string[] => readFileSync(path.join(tree, 'npm.log'), 'utf8').trim().split('\n');

beforeEach(() => {
  tree = mkdtempSync(path.join(tmpdir(), 'flowberry-setup-'));
  cpSync(path.join(ROOT, 'deploy'), path.join(tree, 'deploy'), { recursive: true });
  rmSync(path.join(tree, 'deploy/setup.lock'), { force: true });
  for (const program of ['g++', 'make', 'python3']) put(`bin/${program}`, '');
});
afterEach(() => rmSync(tree, { recursive: true }));

describe('the build of the set-up', () => {
  beforeEach(() => {
    put('tsconfig.build.json', JSON.stringify(TSCONFIG));
    put('package.json', '{ "type": "module" }');
    put('src/main.ts', '#!/usr/bin/env node\nexport const answer: number = 42;\n');
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(tree, 'node_modules'));
  });

  it('makes a program that can be run, and says nothing when nothing is to do', async () => {
    const first = await setup();
    expect(first).toMatchObject({ exitCode: 0, stdout: '' });
    expect(first.stderr).toMatch(/^set-up: built \(\d+ s\)\n$/);
    expect(statSync(path.join(tree, 'dist/src/main.js')).mode & 0o111).toBe(0o111);
    expect(readFileSync(path.join(tree, 'dist/src/main.js'), 'utf8')).toMatch(/^#!/);
    expect(await setup()).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect((await setup('--build')).stderr).toMatch(/built/);
  });

  it('leaves nothing of a source that is gone', async () => {
    put('src/old.ts', 'export {};\n');
    await setup();
    expect(existsSync(path.join(tree, 'dist/src/old.js'))).toBe(true);
    rmSync(path.join(tree, 'src/old.ts'));
    await setup();
    expect(existsSync(path.join(tree, 'dist/src/old.js'))).toBe(false);
    expect(existsSync(path.join(tree, 'dist.old'))).toBe(false);
  });

  it('fails on a type error, and again the next time', async () => {
    put('src/wrong.ts', "export const wrong: number = 'text';\n");
    for (const attempt of [await setup(), await setup()]) {
      expect(attempt.exitCode).toBe(1);
      expect(attempt.stderr).toContain('src/wrong.ts(1,14): error TS2322');
    }
  });

  it('is done once by three at a time, although a fourth has died over it', async () => {
    put('deploy/setup.lock', '4194304999');
    const runs = await Promise.all([setup(), setup(), setup()]);
    expect(runs.map((run) => run.exitCode)).toEqual([0, 0, 0]);
    expect(runs.filter((run) => run.stderr.includes('built'))).toHaveLength(1);
    expect(existsSync(path.join(tree, 'deploy/setup.lock'))).toBe(false);
  });
});

describe('the packages of the set-up', () => {
  beforeEach(() => {
    put('package.json', '{}');
    put('npm-cli.js', NPM);
    put('package-lock.json', lockFile('1.0.0'));
  });

  it('are installed once, again when the lock file changes, and compiled without assertions', async () => {
    expect((await setup()).stderr).toContain('packages installed');
    expect(npmCalls()).toEqual([expect.stringMatching(/^ci .*-DNDEBUG -include \S+object-wrap\.h$/)]);
    expect(await setup()).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    put('package-lock.json', lockFile('1.0.1'));
    await setup();
    expect(npmCalls()).toHaveLength(2);
  });

  it('are taken as they are where npm install has brought them', async () => {
    await setup();
    rmSync(path.join(tree, 'node_modules/.flowberry.json'));
    await setup();
    expect(npmCalls()).toHaveLength(1);
  });

  it('show what npm said when it failed, and are tried again', async () => {
    put('npm-fails', '');
    const { exitCode, stderr } = await setup();
    expect(exitCode).toBe(1);
    expect(stderr).toContain('npm ci failed\nE404 no such package');
    rmSync(path.join(tree, 'npm-fails'));
    expect((await setup()).exitCode).toBe(0);
  });

  it('are refused when their native modules do not load', async () => {
    put('npm-cli.js', NPM.replace('class { close() {} }', 'null'));
    const { exitCode, stderr } = await setup();
    expect(exitCode).toBe(1);
    expect(stderr).toContain('native modules that do not load');
  });
});
