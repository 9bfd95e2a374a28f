import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { pcapFile } from '../helpers/capture-file.js';
import { program, temporaryDirectory } from '../helpers/daemon.js';
import { udpFrame } from '../helpers/frames.js';

/** Runs flowberry with its standard output in `fd`. */
function run(args: readonly string[], fd: number): { status: number | null; stderr: string } {
  const { status, stderr } = spawnSync(process.execPath, [program, ...args], {
    stdio: ['ignore', fd, 'pipe'],
    encoding: 'utf8',
  });
  return { status, stderr };
}

/** A pipe whose reader has gone. */
function unreadPipe(): number {
  const path = join(temporaryDirectory(), 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, 'r+');
  const writer = openSync(path, 'w');
  closeSync(reader);
  onTestFinished(() => closeSync(writer));
  return writer;
}

/** The words of a command, with what it reads. */
function wordsOf(command: string): string[] {
  const directory = temporaryDirectory();
  const file = join(directory, 'some.pcap');
  const database = ['--db', join(directory, 'flows.db')];
  writeFileSync(file, pcapFile([{ bytes: udpFrame({ srcPort: 1 }), seconds: 1_700_000_000 }]));
  if (command === 'replay') return ['replay', file, ...database];
  if (command.startsWith('config')) return ['config', 'print'];
  if (command === 'help') return ['--help'];
  expect(spawnSync(process.execPath, [program, 'replay', file, ...database]).status).toBe(0);
  return command === 'export' ? ['export', ...database] : ['db', 'query', 'SELECT 1', ...database];
}

describe('standard output', () => {
  const needsFull = existsSync('/dev/full') ? '' : ' (needs /dev/full)';
  describe.skipIf(needsFull !== '')(`of a disk that is full${needsFull}`, () => {
    it.each(['replay', 'db query', 'export', 'config print', 'help'])('%s: is told in one line', (command) => {
      const full = openSync('/dev/full', 'w');
      onTestFinished(() => closeSync(full));
      const { status, stderr } = run(wordsOf(command), full);
      expect(stderr).toMatch(/^flowberry: OUTPUT_NOT_WRITABLE: standard output: ENOSPC[^\n]*\n$/);
      expect(status).toBe(74);
    });
  });

  it.each(['replay', 'db query', 'export', 'config print', 'help'])('%s: ends quietly where nobody reads it', (command) => {
    expect(run(wordsOf(command), unreadPipe())).toEqual({ status: 0, stderr: '' });
  });
});
