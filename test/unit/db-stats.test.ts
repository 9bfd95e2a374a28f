import { describe, expect, it } from 'vitest';
import { databaseStats } from '../../src/store/budget/database-stats.js';
import { enduranceYears } from '../../src/store/reader/endurance.js';
import { flows, NOW_MS, WriterRig } from '../helpers/flow-records.js';

describe('db stats', () => {
  it('tells sizes, flows, days and tables', () => {
    const rig = new WriterRig();
    rig.store(flows(100));
    rig.execute('INSERT OR REPLACE INTO bytes_written VALUES (0, 63115200, 0, 50, 63115200)');
    const stats = databaseStats(rig.path, 32, true);
    expect(stats).toMatchObject({ flowsWritten: 100, flowsShed: 0, pageBytes: 2048, oldestUs: NOW_MS * 1000 });
    expect(stats.days.at(-1)).toEqual({ dayUs: 0, processBytes: 63_115_200, deviceBytes: 0, flows: 50, seconds: 63_115_200 });
    expect(stats.tables?.find(({ name }) => name === 'flows')?.rows).toBe(100);
    expect(databaseStats(rig.path, 32, false).tables).toBeNull();
  });

  it('tells how long a card lasts, from ten minutes on', () => {
    expect(enduranceYears(32, 1e12, 365.25 * 86_400)).toBeCloseTo(32);
    expect(enduranceYears(32, 1e6, 599)).toBeNull();
    expect(enduranceYears(32, null, 1e6)).toBeNull();
  });
});
