import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  configValue,
  envName,
  flagName,
  OPTION_NAMES,
  type OptionName,
  readConfigFile,
  readEnvironment,
  readFlags,
  resolveConfig,
} from '../../src/config.js';
import { AppError, type ErrorCode } from '../../src/errors.js';
import type { OptionValue } from '../../src/option-kinds.js';
import { OPTIONS } from '../../src/options.js';

const folder = mkdtempSync(path.join(tmpdir(), 'flowberry-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function toml(content: string): string {
  const file = path.join(folder, 'flowberry.toml');
  writeFileSync(file, content);
  return file;
}

function refusal(attempt: () => unknown): AppError {
  try {
    attempt();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

function expectRefused(attempt: () => unknown, code: ErrorCode, ...parts: string[]): void {
  const error = refusal(attempt);
  expect(error.code).toBe(code);
  for (const part of parts) expect(error.message).toContain(part);
}

const resolveToml = (content: string) => resolveConfig(readConfigFile(toml(content)));

describe('the option table', () => {
  it('allows each of its own defaults', () => {
    const config = resolveConfig();
    for (const name of OPTION_NAMES) expect(configValue(config, name), name).toBe(OPTIONS[name].default);
  });

  it('gives every option a flag and a variable of its own', () => {
    expect(new Set(OPTION_NAMES.map(flagName)).size).toBe(OPTION_NAMES.length);
    expect(new Set(OPTION_NAMES.map(envName)).size).toBe(OPTION_NAMES.length);
    expect(envName('batch.age-ms-max')).toBe('FLOWBERRY_BATCH_AGE_MS_MAX');
    expect(flagName('batch.age-ms-max')).toBe('--batch-age-ms-max');
    expect(flagName('flow.active-max')).toBe('--flows-active-max');
  });

  it('tells help and range of every option', () => {
    for (const name of OPTION_NAMES) {
      expect(OPTIONS[name].help, name).toMatch(/^[A-Z….a-z].*[.…]$/);
      expect(OPTIONS[name].range, name).not.toBe('');
    }
  });
});

describe('resolveConfig', () => {
  it('lays file over default, environment over file, flags over environment', () => {
    const file = readConfigFile(toml('[batch]\nrows-min = 10\nrows-max = 200\nage-ms-max = 300\n'));
    const environment = readEnvironment({ FLOWBERRY_BATCH_ROWS_MAX: '2_000', FLOWBERRY_BATCH_AGE_MS_MAX: '3000', PATH: '/bin' });
    const flags = readFlags({ 'batch.age-ms-max': '30000', 'flow.decap': false });
    const config = resolveConfig(file, environment, flags);
    expect(config.batchRowsMin).toBe(10);
    expect(config.batchRowsMax).toBe(2_000);
    expect(config.batchAgeMsMax).toBe(30_000);
    expect(config.flowDecap).toBe(false);
    expect(config.apiPort).toBe(OPTIONS['api.port'].default);
  });

  it('is frozen', () => {
    const config = resolveConfig();
    expect(Object.isFrozen(config)).toBe(true);
    expect(() => Object.assign(config, { apiPort: 1 })).toThrow(TypeError);
  });

  it('takes every kind of value from the environment', () => {
    const config = resolveConfig(
      readEnvironment({ FLOWBERRY_FLOW_KEY_VLAN: '1', FLOWBERRY_FLOW_DECAP: 'false', FLOWBERRY_DB_PATH: '/var/lib/f.db' }),
    );
    expect(config.flowKeyVlan).toBe(true);
    expect(config.flowDecap).toBe(false);
    expect(config.dbPath).toBe('/var/lib/f.db');
  });

  it('names option and range of a number out of range, whatever it comes from', () => {
    const sources = [
      () => resolveToml('[api]\nport = 70000\n'),
      () => resolveConfig(readEnvironment({ FLOWBERRY_API_PORT: '70000' })),
      () => resolveConfig(readFlags({ 'api.port': '70000' })),
    ];
    for (const attempt of sources) expectRefused(attempt, 'CONFIG_VALUE_INVALID', 'api.port', '70000', '0 to 65535');
  });

  it.each(['0.0.0.0', '::', '192.168.1.5', 'fe80::1'])('lets the API listen on %s only with a token', (address) => {
    expectRefused(() => resolveConfig({ 'api.address': address }), 'CONFIG_VALUE_INVALID', 'api.address', 'api.token-file');
    expect(resolveConfig({ 'api.address': address, 'api.token-file': '/a/token' }).apiAddress).toBe(address);
  });

  it.each<[OptionName, OptionValue]>([
    ['api.port', '80a'],
    ['api.port', ''],
    ['api.port', 80.5],
    ['api.port', true],
    ['flow.decap', 'yes'],
    ['flow.decap', 1],
    ['log.level', 'loud'],
    ['ring.frame-bytes', 4_194_305],
    ['ring.frame-bytes', 65_536],
    ['db.path', ''],
    ['db.path', 'a\0b'],
    ['api.address', 'flowberry.example'],
    ['api.hosts', 'a b'],
    ['cpu.affinity', '1-'],
  ])('refuses %s = %j by name, with what is allowed', (name, value) => {
    expectRefused(() => resolveConfig({ [name]: value }), 'CONFIG_VALUE_INVALID', name, OPTIONS[name].range);
    const asText = String(value);
    if (typeof value === 'string')
      expectRefused(() => resolveConfig(readFlags({ [name]: asText })), 'CONFIG_VALUE_INVALID', name, OPTIONS[name].range);
  });

  it('takes several interfaces, none twice, and auto and any alone', () => {
    const given = (names: string) => () => resolveConfig({ 'capture.interface': names });
    expect(given('eth0,wlan0')().captureInterface).toBe('eth0,wlan0');
    expect(given('any')().captureInterface).toBe('any');
    expectRefused(given('eth0,wlan0,eth0'), 'CONFIG_VALUE_INVALID', 'capture.interface', 'eth0 twice');
    expectRefused(given('eth0,auto'), 'CONFIG_VALUE_INVALID', 'capture.interface', 'auto stands alone');
    expectRefused(given('any,eth0'), 'CONFIG_VALUE_INVALID', 'capture.interface', 'any stands alone');
    const tooMany = Array.from({ length: 17 }, (_, index) => `eth${index}`).join(',');
    for (const names of ['', ',', 'eth0,', 'eth0,,eth1', tooMany])
      expectRefused(given(names), 'CONFIG_VALUE_INVALID', 'capture.interface', 'up to 16 names');
  });

  it('refuses a smallest batch that is larger than the largest', () => {
    expectRefused(
      () => resolveConfig({ 'batch.rows-min': 500, 'batch.rows-max': 100 }),
      'CONFIG_VALUE_INVALID',
      'batch.rows-min',
    );
  });

  it('takes the ends of every range', () => {
    const numbers = OPTION_NAMES.filter((name) => /^\d+ to \d+$/.test(OPTIONS[name].range));
    expect(numbers.length).toBeGreaterThan(10);
    for (const name of numbers) {
      const [min, max] = OPTIONS[name].range.split(' to ').map(Number) as [number, number];
      const { isAllowed } = OPTIONS[name];
      expect(
        [min, max, min - 1, max + 1].map((value) => isAllowed(value)),
        name,
      ).toEqual([true, true, false, false]);
    }
  });
});

describe('what is unknown', () => {
  it('is refused in a file, with the nearest name', () => {
    expectRefused(
      () => resolveToml('[batch]\nrow-min = 5\n'),
      'CONFIG_OPTION_UNKNOWN',
      'batch.row-min',
      'did you mean batch.rows-min?',
    );
    expectRefused(() => resolveToml('port = 5\n'), 'CONFIG_OPTION_UNKNOWN', 'port', 'did you mean api.port?');
    expectRefused(() => resolveToml('[apo]\nport = 5\n'), 'CONFIG_OPTION_UNKNOWN', 'apo.port', 'did you mean api.port?');
    expectRefused(() => resolveToml('[__proto__]\nport = 5\n'), 'CONFIG_OPTION_UNKNOWN', '__proto__');
  });

  it('is refused as a section, even where it is empty', () => {
    expectRefused(() => resolveToml('[bach]\n'), 'CONFIG_OPTION_UNKNOWN', 'bach');
  });

  it('is refused in the environment, with the nearest variable', () => {
    expectRefused(
      () => readEnvironment({ FLOWBERRY_API_PROT: '1' }),
      'CONFIG_OPTION_UNKNOWN',
      'FLOWBERRY_API_PROT',
      'did you mean FLOWBERRY_API_PORT?',
    );
  });
});

describe('a TOML file', () => {
  it('that is none names line and column', () => {
    const file = toml('[api]\n\nport = = 2\n');
    expectRefused(() => readConfigFile(file), 'CONFIG_FILE_SYNTAX', file, 'line 3', 'column 8');
    expect(refusal(() => readConfigFile(file)).message).not.toContain('\n');
  });

  it('that is missing or a folder is named', () => {
    const missing = path.join(folder, 'missing.toml');
    expectRefused(() => readConfigFile(missing), 'CONFIG_FILE_UNREADABLE', missing);
    expectRefused(() => readConfigFile(folder), 'CONFIG_FILE_UNREADABLE', folder);
  });

  it('may be empty', () => {
    expect(resolveToml('# nothing\n')).toEqual(resolveConfig());
  });

  it.each(['port = inf', 'port = nan', 'port = 1979-05-27', 'port = [1]', 'port = { a = 1 }', 'port = 9007199254740991'])(
    'with %s names the option',
    (line) => expectRefused(() => resolveToml(`[api]\n${line}\n`), 'CONFIG_VALUE_INVALID', 'api.port'),
  );
});
