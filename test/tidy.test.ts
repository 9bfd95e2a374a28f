import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { DOCS_TABLES, docsSection } from '../src/cli/docs-tables.js';
import { envName, flagName, OPTION_NAMES } from '../src/config.js';
import { ERRORS } from '../src/errors.js';
import { ALERT_KINDS } from '../src/store/alerts/alert-kind.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LINES_MAX = 400;
const THREAD_LINES_MAX = 100;
/** Median that the source files are to stay below. */
const MEDIAN_LINES_MAX = 150;

/** What threads and stages are made of; a stage may use all of it. */
const GROUND = ['ring', 'wire', 'config', 'errors', 'messages', 'control', 'thread-start', 'live-clock', 'libc'];
/** What ties the threads together; only the pipeline needs it. */
const SUPERVISION = ['affinity', 'memory', 'controlled-thread', 'restart-limit', 'watchdog', 'cpu-by-stage', 'memory-budget'];

/**
 * Which room may import from which. A room is a folder of src/, a file beside them, or bench/; every room may import from itself.
 * An entry with a slash allows the files whose path starts like that. Stages (capture, parse, store, api) never import each other.
 */
const ALLOWED_IMPORTS: Readonly<Record<string, readonly string[]>> = {
  ring: [],
  errors: [],
  libc: [],
  'restart-limit': [],
  'pool-flags': [],
  watchdog: ['ring'],
  wire: ['ring'],
  'option-kinds': ['ring'],
  options: ['messages', 'option-kinds', 'profiles'],
  config: ['errors', 'option-kinds', 'options', 'profiles'],
  profiles: ['config'],
  host: ['messages', 'ring'],
  'live-clock': ['ring'],
  messages: ['config', 'errors'],
  control: ['errors', 'messages'],
  'controlled-thread': ['control', 'errors', 'messages'],
  affinity: ['errors', 'libc'],
  memory: ['config', 'messages', 'ring'],
  'memory-budget': ['config', 'errors', 'memory', 'ring', 'store/open-database', 'store/ram/ram-directory'],
  log: ['config', 'errors', 'messages'],
  'cpu-by-stage': ['messages', 'ring'],
  'thread-start': ['affinity', 'messages', 'ring'],
  capture: GROUND,
  parse: GROUND,
  store: GROUND,
  api: [...GROUND, 'pool-flags', 'store/reader'],
  // What the service manager is told. It reads shared memory, and asks the API over HTTP.
  service: ['ring', 'config', 'messages', 'libc'],
  doctor: ['config', 'errors', 'libc'],
  // The cap backend works in the main thread only, so the pipeline calls the capture there; it starts the other stages by file.
  pipeline: [...GROUND, ...SUPERVISION, 'pool-flags', 'capture/capture'],
  cli: [
    ...GROUND,
    ...SUPERVISION,
    'options',
    'pipeline',
    'service',
    'doctor',
    'host',
    'log',
    'capture',
    'parse',
    'store',
    'api',
    'bench',
  ],
  main: ['cli', 'config', 'errors'],
  bench: [...GROUND, ...SUPERVISION, 'capture', 'parse', 'store', 'api/live/live-hub'],
};

function filesBelow(folder: string, ending: RegExp): string[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true })
    .map((file) => path.posix.join(folder, String(file)))
    .filter((file) => ending.test(file))
    .sort();
}

const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
const lineCount = (file: string): number => read(file).trimEnd().split('\n').length;

function roomOf(file: string): string {
  const [top, room = ''] = file.split('/') as [string, string?];
  return top === 'src' ? path.posix.basename(room, '.ts') : top;
}

/** Files of the project that `file` imports, statically or not, types included. */
function importsOf(file: string): string[] {
  const found = read(file).matchAll(/\b(?:from|import)\s*\(?\s*'(\.[^']*)'/g);
  return [...found].map((match) => path.posix.join(path.posix.dirname(file), match[1] as string).replace(/\.js$/, '.ts'));
}

function isAllowed(room: string, target: string): boolean {
  const allowed = ALLOWED_IMPORTS[room] ?? [];
  return (
    roomOf(target) === room ||
    allowed.some((entry) => (entry.includes('/') ? target.startsWith(`src/${entry}`) : entry === roomOf(target)))
  );
}

const SOURCES = [...filesBelow('src', /\.ts$/), ...filesBelow('bench', /\.ts$/)];
const TESTS = filesBelow('test', /\.(ts|mjs)$/);
const SCRIPTS = filesBelow('deploy', /\.m?js$/);
const ALL = [...SOURCES, ...TESTS, ...SCRIPTS];

describe('rooms', () => {
  it('are all in the table', () => {
    expect(new Set(SOURCES.map(roomOf))).toEqual(new Set(Object.keys(ALLOWED_IMPORTS)));
  });

  it('import only what the table allows', () => {
    const breaches = SOURCES.flatMap((file) =>
      importsOf(file)
        .filter((target) => !isAllowed(roomOf(file), target))
        .map((target) => `${file} imports ${target}`),
    );
    expect(breaches).toEqual([]);
  });

  it('import files that exist', () => {
    const missing = [...SOURCES, ...TESTS].flatMap((file) =>
      importsOf(file)
        .filter((target) => !target.startsWith('dist/') && !existsSync(path.join(ROOT, target)))
        .map((target) => `${file} imports ${target}`),
    );
    expect(missing).toEqual([]);
  });

  it('have thin thread entries', () => {
    const entries = SOURCES.filter((file) => file.endsWith('/thread.ts'));
    // Capture, parse, store, API, and the readers of the API.
    expect(entries).toHaveLength(5);
    expect(entries.filter((file) => lineCount(file) >= THREAD_LINES_MAX)).toEqual([]);
  });
});

describe('files', () => {
  it(`have at most ${LINES_MAX} lines, and half of the sources fewer than ${MEDIAN_LINES_MAX}`, () => {
    expect(ALL.filter((file) => lineCount(file) > LINES_MAX).map((file) => `${file}: ${lineCount(file)}`)).toEqual([]);
    const counts = SOURCES.map(lineCount).sort((a, b) => a - b);
    const median = counts[counts.length >> 1] as number;
    console.log(`${counts.length} source files, median ${median} lines, longest ${counts.at(-1)}`);
    expect(median).toBeLessThan(MEDIAN_LINES_MAX);
  });

  it('carry no marks of unfinished work', () => {
    // Written in pieces, so that this file does not find itself.
    const marks = new RegExp(
      ['TO' + 'DO', 'FIX' + 'ME', '\\.on' + 'ly\\(', '@ts-' + 'ignore', '@ts-' + 'nocheck', 'as an' + 'y\\b'].join('|'),
    );
    const marked = ALL.flatMap((file) => {
      const lines = read(file).split('\n');
      return lines.flatMap((line, index) => (marks.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : []));
    });
    expect(marked).toEqual([]);
  });

  it('end every switch over the types of a message in assertNever', () => {
    const open = SOURCES.flatMap((file) => {
      const switches = read(file).matchAll(/^( *)switch \(\w+\.type\) \{\n(.*?)^\1\}/gms);
      return [...switches]
        .filter((match) => !match[2]?.includes('assertNever('))
        .map((match) => `${file}: ${match[0].split('\n')[0]}`);
    });
    expect(open).toEqual([]);
  });
});

describe('README.md', () => {
  const readme = read('README.md');
  /** Text between back quotes, and the lines of code blocks. */
  const codeLines = [...readme.matchAll(/^```[^\n]*\n(.*?)^```/gms)].flatMap((match) => (match[1] as string).split('\n'));
  const codeSpans = [...readme.replace(/^```[^\n]*\n.*?^```/gms, '').matchAll(/`([^`\n]+)`/g)].map((match) => match[1] as string);

  it.each(Object.keys(DOCS_TABLES))('has the table of %s as it is (node dist/src/main.js docs prints it)', (name) => {
    expect(readme).toContain(docsSection(name));
  });

  it('names no option that is not there', () => {
    const sections = [...new Set(OPTION_NAMES.map((name) => name.split('.')[0]))];
    const named = codeSpans.filter(
      (span) => sections.some((section) => span.startsWith(`${section}.`)) && /^[a-z]+\.[a-z-]+$/.test(span),
    );
    expect(named.filter((span) => !(OPTION_NAMES as string[]).includes(span) && !span.endsWith('.ts'))).toEqual([]);
    const variables = new Set(OPTION_NAMES.map(envName));
    expect([...readme.matchAll(/FLOWBERRY_[A-Z_]+/g)].map(([name]) => name).filter((name) => !variables.has(name))).toEqual([]);
  });

  it('names no flag that is not there', () => {
    const known = new Set([
      '--help',
      '--version',
      ...OPTION_NAMES.flatMap((name) => [flagName(name), flagName(name).replace('--', '--no-')]),
    ]);
    for (const file of ['src/main.ts', 'src/cli/bench-commands.ts', 'src/cli/options.ts', 'src/cli/filter-options.ts'])
      for (const [flag] of read(file).matchAll(/--[a-z-]+/g)) known.add(flag);
    const isOurs = (text: string): boolean =>
      text.startsWith('--') || /\b(flowberry [a-z]|main\.js|npm (start|run bench))/.test(text);
    const named = [...codeLines, ...codeSpans].filter(isOurs).flatMap((text) => text.match(/(?<!\S)--[a-z][a-z-]*/g) ?? []);
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((flag) => !known.has(flag))).toEqual([]);
  });

  it('names every kind of alert', () => {
    expect(ALERT_KINDS.filter((kind) => kind !== '' && !codeSpans.includes(kind))).toEqual([]);
  });

  it('names no error that is not there', () => {
    const families = [...new Set(Object.keys(ERRORS).map((code) => code.split('_')[0]))].join('|');
    const named = [...readme.matchAll(new RegExp(`\\b(?:${families})_[A-Z_]+\\b`, 'g'))].map(([code]) => code);
    expect(named.filter((code) => !Object.hasOwn(ERRORS, code))).toEqual([]);
  });
});
