import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compareConfigs, RELOADABLE, reloadConfig } from '../../src/cli/reload.js';
import { type Config, OPTION_NAMES, type OptionValues, resolveConfig } from '../../src/config.js';
import { AppError } from '../../src/errors.js';

/** One reload of a daemon that runs with `running`, when `read` answers. */
async function reload(running: Config, read: () => Config, failure: Error | null = null) {
  const log: string[] = [];
  const applied: Config[] = [];
  const ends: boolean[] = [];
  const config = await reloadConfig(running, {
    readConfig: read,
    log: (level, message) => log.push(`${level} ${message}`),
    apply: async (next) => {
      applied.push(next);
      if (failure) throw failure;
    },
    onEnd: (isApplied) => ends.push(isApplied),
  });
  return { config, log, applied, ends };
}

describe('a reload', () => {
  const running = resolveConfig({ 'db.path': '/a.db' });

  it('applies what can be applied, names what needs a restart, and goes by the old value of that', async () => {
    const options: OptionValues = { 'db.path': '/b.db', 'flow.idle-udp-s': 7, 'log.level': 'debug', 'flow.decap': false };
    const { config, log, applied, ends } = await reload(running, () => resolveConfig(options));
    expect(config).toEqual({ ...running, flowIdleUdpS: 7, logLevel: 'debug' });
    expect(Object.isFrozen(config)).toBe(true);
    expect(applied).toEqual([config]);
    expect(log).toEqual([
      'info configuration read again, applied: flow.idle-udp-s, log.level; these need a restart: flow.decap, db.path',
    ]);
    expect(ends).toEqual([true]);
  });

  it('says that there is nothing to apply', async () => {
    const { config, log } = await reload(running, () => resolveConfig({ 'db.path': '/a.db' }));
    expect(config).toEqual(running);
    expect(log).toEqual(['info configuration read again, nothing to apply']);
  });

  it('keeps what it has when the new configuration is not valid, with one line that says so', async () => {
    const { config, log, applied, ends } = await reload(running, () => resolveConfig({ 'flow.idle-udp-s': -1 }));
    expect(config).toBe(running);
    expect(applied).toEqual([]);
    expect(ends).toEqual([false]);
    expect(log).toEqual([
      'error CONFIG_RELOAD_REFUSED: flow.idle-udp-s = -1 is not allowed; allowed: 0 to 86400. flowberry goes on with the options that it has; mend the file and send SIGHUP again.',
    ]);
  });

  it('keeps what it has when a thread does not take the new one', async () => {
    const failure = new AppError('THREAD_DEADLINE', 'the writer got no answer');
    const read = resolveConfig({ 'db.path': '/a.db', 'retention.flows-days': 1 });
    const { config, log, applied, ends } = await reload(running, () => read, failure);
    expect([config, ends]).toEqual([running, [false]]);
    expect(log).toHaveLength(1);
    // It may only have been late: what it has been sent is taken back.
    expect(applied).toEqual([read, running]);
  });

  it('applies all options of retention, alerts and maintenance, as README says', () => {
    const families = OPTION_NAMES.filter((name) => /^(retention|alerts|maintenance)\./.test(name));
    expect(families.filter((name) => !RELOADABLE.has(name))).toEqual([]);
    const row = readFileSync(new URL('../../README.md', import.meta.url), 'utf8').match(/^\| `SIGHUP` \|.*$/m)?.[0] ?? '';
    const named = [...RELOADABLE].map((name) => (families.includes(name) ? name.replace(/\..*/, '.*') : name));
    expect(named.filter((name) => !row.includes(`\`${name}\``))).toEqual([]);
  });

  it('knows only options that there are', () => {
    expect([...RELOADABLE].filter((name) => !OPTION_NAMES.includes(name))).toEqual([]);
    expect(compareConfigs(running, running)).toMatchObject({ applied: [], needingRestart: [] });
  });
});
