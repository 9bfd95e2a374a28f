import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Record, RecordKind, Slot } from '../../src/ring/layout.js';
import { Dns } from '../../src/ring/name-records.js';
import { ResumeAt, RingConsumer } from '../../src/ring/ring.js';
import { Cell } from '../../src/ring/thread-block.js';
import { flow, NOW_MS, temporaryDirectory, WriterRig } from '../helpers/flow-records.js';
import { dns } from '../helpers/name-records.js';
import { DAY_MS, failedChecks } from '../helpers/upkeep.js';

/** `npm run test:kills` kills as often as the promise says. */
const isLong = process.env['KILLS'] === 'all';
const KILLS = isLong ? 50 : 3;
const CHILD = fileURLToPath(new URL('../fixtures/upkeep-child.mjs', import.meta.url));
/** Longest time that the writer works before it is killed. */
const LIFE_MS_MAX = 1000;
const NAME = '00000000';

/** What a record looks like, for the child, which knows no field by name. */
function recordOf(rig: WriterRig, kind: RecordKind, timeWords: readonly number[], packets: number): object {
  const ring = rig.memory.flowRings[0] as SharedArrayBuffer;
  const consumer = new RingConsumer(ring, ResumeAt.Cursor);
  const payload = consumer.peek();
  const lengthBytes = new Int32Array(ring)[(payload - Record.HeaderBytes) / 4 + Record.LengthBytes] as number;
  const bytes = Buffer.from(Buffer.from(ring).subarray(payload, payload - Record.HeaderBytes + lengthBytes));
  consumer.advance();
  consumer.release();
  const timeOffsets = timeWords.map((word) => word * 8);
  return { kind, bytes: bytes.toString('base64'), timeOffsets, nameOffset: bytes.indexOf(NAME), packets };
}

function records(): object[] {
  const rig = new WriterRig();
  rig.emit(flow({ details: { sni: `${NAME}.example`, alpn: 'h2', method: 'GET' }, src: '2001:db8::1', dst: '2001:db8::2' }));
  const flowRecord = recordOf(rig, RecordKind.Flow, [Slot.EmittedUsF64, Slot.StartUsF64, Slot.EndUsF64], 2);
  rig.emitDns(dns({ seenUs: NOW_MS * 1000, query: `${NAME}.example` }));
  return [flowRecord, recordOf(rig, RecordKind.Dns, [Dns.EmittedUsF64, Dns.SeenUsF64], 0)];
}

describe('kill -9 while rows are deleted, joined, swept and checked', () => {
  it(
    `leaves a sound file whose ledger closes, ${KILLS} times`,
    async () => {
      const path = join(temporaryDirectory(), 'flowberry.db');
      const options = {
        'db.path': path,
        'ring.flow-bytes': 1_048_576,
        'flow.active-max': 16,
        'retention.flows-days': 1,
        'retention.minutes-days': 1,
        'retention.hours-days': 2,
        'retention.file-bytes-max': 16_777_216,
        'maintenance.checkpoint-s': 10,
        'maintenance.quick-check-days': 1,
        'maintenance.full-check-days': 2,
      };
      // So many names that nobody knows that everything has to go for want of room, until they are swept out.
      const first = new WriterRig({ path });
      first.store([]);
      first.execute(`INSERT INTO texts WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 29000)
        SELECT i, printf('%0200d', i) FROM n`);
      const child = {
        options,
        records: records(),
        cells: { received: Cell.FramesReceived, inFlows: Cell.PacketsInFlows, emitted: Cell.FlowsEmitted },
      };
      let nowMs = NOW_MS;
      for (let kill = 1; kill <= KILLS; kill++) {
        const writer = spawn(process.execPath, [CHILD], { stdio: ['pipe', 'pipe', 'inherit'] });
        onTestFinished(() => void writer.kill('SIGKILL'));
        writer.stdin.end(JSON.stringify({ ...child, key: kill.toString(16).padStart(16, '0'), startMs: nowMs }));
        const lines = createInterface({ input: writer.stdout });
        const ended = once(writer, 'close');
        lines.on('line', (line) => {
          nowMs = Number(line);
        });
        // By the fifth day there is something to delete of every kind.
        do await once(lines, 'line');
        while (nowMs < NOW_MS + 5 * DAY_MS);
        await new Promise((resolve) => setTimeout(resolve, Math.random() * LIFE_MS_MAX));
        writer.kill('SIGKILL');
        await ended;
        expect(failedChecks(path)).toEqual([]);
      }
      const rig = new WriterRig({ path });
      const [sums] = rig.query(`SELECT (SELECT sum(rows) FROM pruned) AS pruned, (SELECT count(*) FROM flows) AS flows,
        (SELECT count(*) FROM ledger WHERE span_us > 60000000) AS joined, (SELECT count(*) FROM sessions) AS sessions,
        (SELECT flows_pruned FROM rollup_state WHERE table_name = 'rollup_direction_day') AS days, (SELECT count(*) FROM texts) AS texts`);
      console.log(`after ${KILLS} kills: ${JSON.stringify(sums)}`);
      expect(sums?.['pruned']).toBeGreaterThan(0);
      expect(sums?.['joined']).toBeGreaterThan(0);
      expect(sums?.['days']).toBeGreaterThan(0);
    },
    isLong ? 900_000 : 60_000,
  );
});
