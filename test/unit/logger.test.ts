import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type OptionValues, resolveConfig } from '../../src/config.js';
import { Logger } from '../../src/log/logger.js';
import { temporaryDirectory } from '../helpers/daemon.js';
import { mountObstacle, SmallDisk } from '../helpers/small-disk.js';

const obstacle = mountObstacle();

const MINUTE_MS = 60_000;

class Rig {
  readonly path = join(temporaryDirectory(), 'logs', 'f.log');
  readonly logger: Logger;
  nowMs = 0;

  constructor(options: OptionValues = {}) {
    this.logger = new Logger(resolveConfig({ 'log.file': this.path, ...options }), 1, () => this.nowMs);
  }

  get lines(): Record<string, unknown>[] {
    this.logger.flush();
    return readFileSync(this.path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  get messages(): unknown[] {
    return this.lines.map(({ msg, repeated }) => (repeated === undefined ? msg : `${msg} (${repeated})`));
  }
}

describe('the log', () => {
  it('is JSON, a line each, with level, time and fields', () => {
    const rig = new Rig();
    rig.logger.log('info', 'hello', { packets: 7 });
    expect(rig.lines).toEqual([{ level: 'info', time: expect.stringMatching(/^\d{4}-.*Z$/), packets: 7, msg: 'hello' }]);
  });

  it('has errors in the file at once, with all before them', () => {
    const rig = new Rig();
    rig.logger.log('info', 'a');
    expect(readFileSync(rig.path, 'utf8')).toBe('');
    rig.logger.log('error', 'b');
    expect(readFileSync(rig.path, 'utf8').split('\n')).toHaveLength(3);
    rig.logger.log('info', 'c');
    rig.logger.log('fatal', 'd');
    expect(readFileSync(rig.path, 'utf8').split('\n')).toHaveLength(5);
  });

  it('meters lines, bytes and writes', () => {
    const rig = new Rig();
    for (let i = 0; i < 10; i++) rig.logger.log('info', 'ü');
    rig.logger.flush();
    expect(rig.logger.meter).toMatchObject({
      lines: 10,
      bytes: readFileSync(rig.path).length,
      writes: 1,
      heldBack: 0,
      lost: 0,
      isFailing: false,
    });
  });

  it('lets one of the warnings that differ in numbers only through a minute, and tells how many there were', () => {
    const rig = new Rig();
    for (let i = 0; i < 50; i++) rig.logger.log('warn', `ring ${i} is full`);
    rig.logger.log('warn', 'something else');
    expect(rig.messages).toEqual(['ring 0 is full', 'something else']);
    expect(rig.logger.meter.heldBack).toBe(49);
    rig.nowMs += MINUTE_MS;
    rig.logger.tellRepeats();
    expect(rig.messages.slice(2)).toEqual(['ring 49 is full (49)']);
    rig.logger.log('warn', 'ring 50 is full');
    rig.nowMs += MINUTE_MS;
    rig.logger.tellRepeats();
    expect(rig.messages.slice(3)).toEqual(['ring 50 is full (1)']);
    rig.nowMs += MINUTE_MS;
    rig.logger.tellRepeats();
    rig.logger.log('warn', 'ring 51 is full');
    expect(rig.messages.slice(4)).toEqual(['ring 51 is full']);
  });

  it('holds no information back, and no error that differs', () => {
    const rig = new Rig();
    for (const level of ['info', 'error'] as const) for (let i = 0; i < 3; i++) rig.logger.log(level, `parse-${i} ended`);
    rig.logger.log('info', 'parse-0 ended');
    rig.logger.log('error', 'parse-0 ended');
    expect(rig.messages).toHaveLength(7);
  });

  it('tells at its end what it has held back', async () => {
    const rig = new Rig();
    for (let i = 0; i < 3; i++) rig.logger.log('warn', 'again');
    await rig.logger.close();
    expect(rig.messages).toEqual(['again', 'again (2)']);
  });

  it('changes its level: by the config, by a signal and back, and while the disk is nearly full', () => {
    const rig = new Rig();
    const levels: string[] = [rig.logger.level];
    const levelAfter = (step: () => void): void => {
      step();
      levels.push(rig.logger.level);
    };
    levelAfter(() => rig.logger.toggleDebug());
    levelAfter(() => rig.logger.reduce(true));
    levelAfter(() => rig.logger.reduce(false));
    levelAfter(() => rig.logger.toggleDebug());
    levelAfter(() => rig.logger.reconfigure(resolveConfig({ 'log.level': 'error' })));
    levelAfter(() => rig.logger.reduce(true));
    expect(levels).toEqual(['info', 'debug', 'warn', 'debug', 'info', 'error', 'error']);
  });

  it('goes to a descriptor at once where the config names no file, and is not reduced there', () => {
    const path = join(temporaryDirectory(), 'out');
    const fd = openSync(path, 'w');
    const logger = new Logger(resolveConfig({}), fd);
    logger.reduce(true);
    logger.log('info', 'a');
    expect(readFileSync(path, 'utf8')).toContain('"msg":"a"');
    expect(logger.meter).toMatchObject({ lines: 1, writes: 1 });
    closeSync(fd);
  });

  it.skipIf(obstacle !== null)(
    `writes to a descriptor what its full disk refused, once there is room (${obstacle ?? 'as root'})`,
    () => {
      const disk = new SmallDisk(1);
      onTestFinished(() => disk.remove());
      const path = join(disk.path, 'out');
      const fd = openSync(path, 'w');
      onTestFinished(() => closeSync(fd));
      const logger = new Logger(resolveConfig({}), fd);
      const text = 'x'.repeat(64_000);
      const count = 5;
      writeFileSync(join(disk.path, 'other'), Buffer.alloc(2 ** 20 - 2 * text.length));
      for (let i = 0; i < count; i++) logger.log('info', text);
      expect(logger.meter).toMatchObject({ isFailing: true, lost: 0 });
      disk.resize(2);
      logger.log('info', 'there is room');
      expect(logger.meter).toMatchObject({ isFailing: false, lost: 0 });
      const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
      expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
        ...new Array<string>(count).fill(text),
        'there is room',
      ]);
    },
  );

  it('gives lines up and counts them where too many wait for a descriptor, or who read them has gone', () => {
    const fd = openSync('/dev/full', 'w');
    onTestFinished(() => closeSync(fd));
    const full = new Logger(resolveConfig({}), fd);
    for (let i = 0; i < 70; i++) full.log('info', 'x'.repeat(64_000));
    expect(full.meter.isFailing).toBe(true);
    expect(full.meter.lost).toBeGreaterThan(0);
    expect(full.meter.lost).toBeLessThan(10);

    const pipe = join(temporaryDirectory(), 'pipe');
    execFileSync('mkfifo', [pipe]);
    const reader = openSync(pipe, 'r+');
    const writer = openSync(pipe, 'w');
    onTestFinished(() => closeSync(writer));
    closeSync(reader);
    const unread = new Logger(resolveConfig({}), writer);
    for (let i = 0; i < 3; i++) unread.log('info', 'nobody reads this');
    expect(unread.meter).toMatchObject({ lines: 3, lost: 3, isFailing: true });
  });

  it('refuses a file that cannot be written, with a code', () => {
    expect(() => new Logger(resolveConfig({ 'log.file': '/proc/flowberry/f.log' }), 1)).toThrow(
      expect.objectContaining({ code: 'LOG_FILE_NOT_WRITABLE' }),
    );
  });

  it('loses nothing when the process exits with lines that have gathered', () => {
    const path = join(temporaryDirectory(), 'f.log');
    const dist = new URL('../../dist/src/', import.meta.url).href;
    const script = `
      const { Logger } = await import('${dist}log/logger.js');
      const { resolveConfig } = await import('${dist}config.js');
      const { log } = new Logger(resolveConfig({ 'log.file': ${JSON.stringify(path)} }), 1);
      for (let i = 0; i < 250; i++) log('info', 'line ' + i);
      process.exit(0);`;
    execFileSync(process.execPath, ['--input-type=module', '-e', script]);
    expect(readFileSync(path, 'utf8').match(/"line \d+"/g)).toHaveLength(250);
  });
});
