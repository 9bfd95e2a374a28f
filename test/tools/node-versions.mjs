#!/usr/bin/env node
/**
 * `npm run test:node-versions`: the whole suite on each version of Node that flowberry is for, in a copy of the committed tree, with
 * packages and native modules installed anew. `node test/tools/node-versions.mjs 24 -- test/unit/config.test.ts` takes one version,
 * and hands the rest to vitest. The Nodes come from the npm registry, as the package `node` has them.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const tree = fileURLToPath(new URL('../..', import.meta.url));
const MAJORS = ['20', '22', '24'];

const split = process.argv.indexOf('--');
const given = process.argv.slice(2, split < 0 ? undefined : split);
const forVitest = split < 0 ? [] : process.argv.slice(split + 1);

/** Puts a Node of this major version below `folder`, and gives its directory. */
function fetchNode(folder, major) {
  const name = `node-${process.platform}-${process.arch}`;
  const listed = JSON.parse(execFileSync('npm', ['view', name, 'versions', '--json', '--silent'], { encoding: 'utf8' }));
  const numbers = (version) => version.split('.').map(Number);
  const found = listed.filter((version) => version.startsWith(`${major}.`) && !version.includes('-'));
  found.sort((a, b) => numbers(a)[1] - numbers(b)[1] || numbers(a)[2] - numbers(b)[2]);
  const version = found.at(-1);
  const [{ filename }] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--silent', `${name}@${version}`], { cwd: folder, encoding: 'utf8' }),
  );
  execFileSync('tar', ['-xzf', filename], { cwd: folder });
  return { version, directory: path.join(folder, 'package') };
}

function testWith(major) {
  const folder = mkdtempSync(path.join(tmpdir(), 'flowberry-node-'));
  try {
    const { version, directory } = fetchNode(folder, major);
    const copy = path.join(folder, 'tree');
    execFileSync('sh', ['-c', 'mkdir "$1" && git archive HEAD | tar -x -C "$1"', 'sh', copy], { cwd: tree });
    const npm = path.join(
      execFileSync('npm', ['root', '-g', '--silent'], { encoding: 'utf8' }).trim(),
      'npm',
      'bin',
      'npm-cli.js',
    );
    const node = path.join(directory, 'bin', 'node');
    // Native modules are compiled for this Node, whatever headers npm is told to take elsewhere.
    const env = {
      ...process.env,
      npm_config_nodedir: directory,
      PATH: `${path.join(directory, 'bin')}${path.delimiter}${process.env.PATH}`,
      npm_execpath: npm,
    };
    const { status } = spawnSync(node, [npm, 'test', '--', ...forVitest], { cwd: copy, env, stdio: 'inherit' });
    return { version, isPassed: status === 0 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const results = (given.length > 0 ? given : MAJORS).map(testWith);
for (const { version, isPassed } of results) console.log(`Node ${version}: ${isPassed ? 'passed' : 'FAILED'}`);
if (results.some(({ isPassed }) => !isPassed)) process.exitCode = 1;
