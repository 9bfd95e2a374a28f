import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** The built program: threads cannot be started from TypeScript, so the tests of whole runs use what the build made. */
export const program = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));

if (!existsSync(program)) throw new Error('dist/src/main.js is missing: run npm run build, or npm test, which does it');

/** What a finished run said. */
export interface RunResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const RUN_MS_MAX = 120_000;

/** Runs flowberry to its end. */
export function flowberry(
  args: readonly string[],
  options: { input?: Uint8Array; env?: Record<string, string> } = {},
): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [program, ...args],
      { timeout: RUN_MS_MAX, maxBuffer: 2 ** 26, env: { ...process.env, ...options.env } },
      (error, stdout, stderr) => {
        if (error && typeof error.code !== 'number') reject(error);
        else resolve({ exitCode: error ? Number(error.code) : 0, stdout, stderr });
      },
    );
    if (options.input) child.stdin?.end(options.input);
  });
}

/** What `replay --json` prints. */
export interface ReplayJson {
  readonly packets: { received: number; in_flows: number; dropped: Record<string, number>; difference: number };
  readonly frames: { oversized: number; cut: number };
  readonly fragments: { joined: number; unknown: number };
  readonly flows: { created: number; emitted: number; written: number; evicted: number };
  readonly bytes: { ip: number; wire: number; wire_received: number };
  readonly elapsed_s: number;
  readonly error: { code: string; message: string } | null;
}

/** Runs `replay --json` and gives its object with the exit code. */
export async function replay(
  args: readonly string[],
  options: { input?: Uint8Array } = {},
): Promise<RunResult & { json: ReplayJson }> {
  const result = await flowberry(['replay', ...args, '--json'], options);
  return { ...result, json: JSON.parse(result.stdout || 'null') as ReplayJson };
}

/** A directory that is removed when the test has finished. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'flowberry-test-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
