import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { configText } from '../../src/cli/config.js';
import { configValue, OPTION_NAMES, type OptionName, resolveConfig } from '../../src/config.js';
import { checkBudget, memoryBudget, memoryLimitFor } from '../../src/memory-budget.js';
import { OPTIONS } from '../../src/options.js';
import { PROFILE_NAMES, PROFILES } from '../../src/profiles.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const RAM_OF: Readonly<Record<string, number>> = { 'pi5-2gb': 1.9, 'pi5-4gb': 3.9, 'pi5-8gb': 7.9, 'pi5-16gb': 15.8 };

describe.each(PROFILE_NAMES)('profile %s', (profile) => {
  it('has allowed values, and gives way to what the operator says', () => {
    const config = resolveConfig({ 'host.profile': profile });
    for (const name of OPTION_NAMES)
      if (name !== 'host.profile') expect(configValue(config, name), name).toBe(PROFILES[profile][name] ?? OPTIONS[name].default);
    for (const name of Object.keys(PROFILES[profile]) as OptionName[]) {
      const own = OPTIONS[name].default;
      expect(configValue(resolveConfig({ 'host.profile': profile }, { [name]: own }), name)).toBe(own);
    }
  });

  it('fits into its own limit of memory', () => {
    const ram = (RAM_OF[profile] ?? 7.9) * GIB;
    for (const workers of profile === 'small' ? [1] : [1, 2])
      expect(() => checkBudget(memoryBudget(resolveConfig({ 'host.profile': profile }), workers, ram))).not.toThrow();
  });
});

describe('where values come from', () => {
  it('is said behind each of them, and the whole is TOML', () => {
    const text = configText([
      { origin: '/etc/flowberry.toml', values: { 'host.profile': 'small', 'flow.active-max': 500, 'log.level': 'warn' } },
      { origin: 'the environment', values: { 'log.level': 'debug' } },
      { origin: 'the command line', values: { 'db.path': '/x "y".db' } },
    ]);
    for (const line of [
      'level = "debug" # the environment',
      'active-max = 500 # /etc/flowberry.toml',
      'cache-kib = 4096 # profile small',
      'rows-min = 0 # default',
      'path = "/x \\"y\\".db" # the command line',
    ])
      expect(text.split('\n')).toContain(line);
    const sections = parse(text) as Record<string, Record<string, unknown>>;
    const names = Object.entries(sections).flatMap(([section, keys]) => Object.keys(keys).map((key) => `${section}.${key}`));
    expect(names).toEqual(OPTION_NAMES);
  });
});

describe('the memory budget', () => {
  const config = resolveConfig({
    'flow.active-max': 20_000,
    'ring.frame-bytes': 32 * MIB,
    'ring.flow-bytes': 8 * MIB,
    'capture.interface': 'eth0,eth1',
    'db.cache-kib': 1024,
  });

  it('is the sum of its terms, each with the real numbers', () => {
    const budget = memoryBudget(config, 2, 8 * GIB);
    const bytes = Object.fromEntries(budget.items.map(({ name, count, eachBytes }) => [name, [count, eachBytes]]));
    expect(bytes).toMatchObject({
      'frame rings': [2, 32 * MIB],
      'flow rings': [2, 8 * MIB],
      'flow tables': [2, 10_000 * 1152],
      'capture buffers of the kernel': [2, 16 * MIB],
      'page cache of the database': [1, MIB],
      'remembered names': [8192, 128],
    });
    expect(budget.totalBytes).toBe(budget.items.reduce((sum, { count, eachBytes }) => sum + count * eachBytes, 0));
  });

  it.each([
    [0.5, 256],
    [1, 512],
    [2, 512],
    [4, 512],
    [8, 1024],
    [16, 2048],
    [64, 2048],
  ])('has a limit of its own for %d GB of RAM: %i MiB', (gib, mib) => {
    expect(memoryLimitFor(gib * GIB) / MIB).toBe(mib);
  });

  it('refuses what cannot fit, and says so with both numbers', () => {
    const total = memoryBudget(config, 2, 8 * GIB).totalBytes;
    const limited = (bytes: number) => memoryBudget(resolveConfig({ 'host.memory-bytes-max': bytes }, optionsOf()), 2, 8 * GIB);
    expect(() => checkBudget(limited(total))).not.toThrow();
    expect(() => checkBudget(limited(total - 1))).toThrow(
      expect.objectContaining({
        code: 'CONFIG_MEMORY_EXCEEDED',
        message: expect.stringMatching(/^the options take up to \d+ MiB of memory; the limit is \d+ MiB$/),
      }),
    );
  });

  it('fits the defaults on every model', () => {
    for (const gib of [1, 2, 4, 8, 16])
      expect(() => checkBudget(memoryBudget(resolveConfig(), 2, gib * GIB * 0.97))).not.toThrow();
  });

  function optionsOf() {
    return Object.fromEntries(
      OPTION_NAMES.filter((name) => name !== 'host.memory-bytes-max').map((name) => [name, configValue(config, name)]),
    );
  }
});
