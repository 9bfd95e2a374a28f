import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { Cell } from '../../src/ring/thread-block.js';
import { expectBalanced, type Kept, kept, REFUSE } from '../helpers/kept.js';

describe('whatever happens to the file', () => {
  const steps = fc.oneof(
    fc.nat(80).map((count) => (writer: Kept) => writer.emit(Math.min(count, 80))),
    fc.nat(3_000).map((ms) => (writer: Kept) => writer.pass(ms)),
    fc.constantFrom<(writer: Kept) => void>(
      ({ rig }) => rmSync(rig.path, { force: true }),
      ({ rig }) => existsSync(rig.path) && copyFileSync(rig.path, `${rig.path}.copy`),
      ({ rig }) => existsSync(`${rig.path}.copy`) && renameSync(`${rig.path}.copy`, rig.path),
      ({ rig }) => existsSync(rig.path) && renameSync(rig.path, `${rig.path}.copy`),
      ({ rig }) => rig.execute(`DROP TRIGGER IF EXISTS refuse; ${REFUSE}`),
      ({ rig }) => rig.execute('DROP TRIGGER IF EXISTS refuse'),
    ),
  );

  it('every packet is stored or counted as lost', () => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 25 }), (script) => {
        const writer = kept({ options: { 'ring.flow-bytes': 65_536 } });
        writer.pass(100);
        for (const step of script) {
          try {
            step(writer);
          } catch (error) {
            // No table to put a trigger on: the file is a new one of the script's own.
            if (!/no such table|does not exist|more flows than the ring/.test((error as Error).message)) throw error;
          }
        }
        writer.pass(10_000);
        if (existsSync(writer.rig.path)) writer.rig.execute('DROP TRIGGER IF EXISTS refuse');
        writer.pass(10_000);
        expectBalanced(writer, writer.cell(Cell.PacketsLost));
      }),
      { numRuns: 25, seed: 20261121 },
    );
  });
});
