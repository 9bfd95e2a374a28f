import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkDatabase } from '../../src/store/check.js';
import { emittedMemory, isBuilt, openAll } from '../helpers/damaged-writer.js';
import { flows, NOW_MS, temporaryDirectory, WriterRig } from '../helpers/flow-records.js';

/** Why no system call can be made to fail here, or null. */
function straceObstacle(): string | null {
  try {
    execFileSync('strace', ['-e', 'trace=pwrite64', '-e', 'inject=pwrite64:error=EIO:when=1', 'true'], { stdio: 'ignore' });
    return null;
  } catch {
    return 'needs strace and the right to trace';
  }
}

const obstacle = isBuilt ? straceObstacle() : 'needs npm run build';

/** `npm run test:damage` lets every call fail; here it is a few of them. */
const isLong = process.env['DAMAGE'] === 'all';
const CALLS = isLong ? { pwrite64: 240, fsync: 12, ftruncate: 6 } : { pwrite64: 100, fsync: 2 };
const STEP = isLong ? 3 : 33;
const ERRORS = isLong ? ['EIO', 'ENOSPC', 'EROFS'] : ['EIO'];
/** Once, and from then on. */
const LASTS = ['once', 'from then on'] as const;

const CASES = Object.entries(CALLS).flatMap(([call, calls]) =>
  ERRORS.flatMap((error) => LASTS.map((lasts) => ({ call, calls, error, lasts }))),
);

describe.skipIf(obstacle !== null)(`a disk that answers with errors (${obstacle ?? 'with strace'})`, () => {
  it.each(CASES)(
    '$call: $error at each of $calls calls, $lasts, leaves a sound file',
    { timeout: 600_000 },
    async ({ call, calls, error, lasts }) => {
      const memoryFile = emittedMemory(NOW_MS * 1000);
      const rig = new WriterRig();
      rig.store(flows(300));
      const made = rig.path;
      const outcomes: Record<string, number> = {};
      for (let number = lasts === 'once' ? 1 : 2; number <= calls; number += call === 'pwrite64' ? STEP : 1) {
        const path = join(temporaryDirectory(), 'flowberry.db');
        // On every other file the schema is made under the errors as well.
        if (number % 2 === 0) copyFileSync(made, path);
        const inject = `inject=${call}:error=${error}:when=${number}${lasts === 'once' ? '' : '+'}`;
        const [result] = await openAll([path], memoryFile, [
          'strace',
          '-f',
          '-qq',
          '-o',
          '/dev/null',
          '-e',
          `trace=${call}`,
          '-e',
          inject,
        ]);
        const { outcome = '', code } = result ?? {};
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
        expect(outcome, `${inject}: ${code}`).not.toBe('defect');
        // A fault that is over leaves no trace, unless the very first calls met it.
        if (lasts === 'once' && outcome !== 'refused') expect(outcome, `${inject}: ${code}`).toMatch(/^opened/);
        // What could not be opened can be, once the disk answers again.
        if (outcome === 'refused') expect((await openAll([path], memoryFile))[0]?.outcome, inject).toBe('opened');
        if (!existsSync(path) || statSync(path).size === 0) continue;
        expect(
          checkDatabase(path).checks.filter(({ ok }) => !ok),
          inject,
        ).toEqual([]);
      }
      console.log(`${call} ${error} ${lasts}: ${JSON.stringify(outcomes)}`);
    },
  );
});
