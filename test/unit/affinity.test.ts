import { describe, expect, it } from 'vitest';
import {
  availableCpus,
  coresOf,
  nameThread,
  parseCpuList,
  pinThread,
  planAffinity,
  readAffinity,
  resolveAffinity,
  setProcessMask,
  threadTaskId,
} from '../../src/affinity.js';

const isLinux = process.platform === 'linux';

describe('parseCpuList', () => {
  it.each([
    ['0', [0]],
    ['0-3', [0, 1, 2, 3]],
    ['3,0-1', [0, 1, 3]],
    ['1,1-2', [1, 2]],
    ['0-3\n', [0, 1, 2, 3]],
    ['', []],
    ['3-1', []],
  ])('reads %j', (text, cpus) => {
    expect(parseCpuList(text)).toEqual(cpus);
  });

  it('ends at the largest CPU that a mask has room for', () => {
    expect(parseCpuList('1022-999999999')).toEqual([1022, 1023]);
  });
});

describe('planAffinity', () => {
  const FOUR = [0, 1, 2, 3];

  it('keeps CPU 0 of four free, gives CPU 1 to the capture and the rest to the parse workers', () => {
    expect(planAffinity('auto', FOUR, 2)).toEqual({ processMask: [1, 2, 3], capture: 1, parse: [2, 3], note: null });
  });

  it('starts again at the first CPU when there are more workers than CPUs', () => {
    expect(planAffinity('auto', FOUR, 5).parse).toEqual([2, 3, 2, 3, 2]);
    expect(planAffinity('auto', [0, 1, 2], 2)).toMatchObject({ processMask: [1, 2], capture: 1, parse: [2, 2] });
  });

  it.each([[[0]], [[0, 1]], [[2, 3]]])('excludes nothing of %j and says so', (available) => {
    const plan = planAffinity('auto', available, 1);
    expect(plan).toMatchObject({ processMask: null, capture: null, parse: [null] });
    expect(plan.note).toContain('no CPU is set apart');
  });

  it('excludes nothing more when CPU 0 is already out of reach', () => {
    expect(planAffinity('auto', [4, 5, 6], 2)).toMatchObject({ processMask: [4, 5, 6], capture: 4, parse: [5, 6] });
  });

  it('lets everything float when it is off', () => {
    expect(planAffinity('off', FOUR, 2)).toEqual({ processMask: null, capture: null, parse: [null, null], note: null });
  });

  it('takes the CPUs that are named', () => {
    expect(planAffinity('2-3', FOUR, 2)).toEqual({ processMask: [2, 3], capture: 2, parse: [3, 3], note: null });
    expect(planAffinity('2', FOUR, 1)).toEqual({ processMask: [2], capture: null, parse: [null], note: null });
  });

  it('leaves out named CPUs that are not available, and says which', () => {
    const plan = planAffinity('1-5', FOUR, 2);
    expect(plan).toMatchObject({ processMask: [1, 2, 3], capture: 1, parse: [2, 3] });
    expect(plan.note).toContain('CPU 4,5');
  });

  it('refuses a setting that leaves no CPU', () => {
    expect(() => planAffinity('8-9', FOUR, 1)).toThrow(
      expect.objectContaining({ code: 'CONFIG_VALUE_INVALID', message: expect.stringContaining('8-9') }),
    );
  });
});

describe('coresOf', () => {
  it('counts CPU 0 where a mask has set it apart, so that the unit has as many workers as a run by hand', () => {
    expect(coresOf([0, 1, 2, 3])).toBe(4);
    expect(coresOf([1, 2, 3])).toBe(4);
    expect(coresOf([2])).toBe(2);
  });
});

describe.skipIf(isLinux)('outside Linux', () => {
  it('floats with a note', () => {
    expect(resolveAffinity('auto', 1)).toMatchObject({ processMask: null, note: expect.stringContaining(process.platform) });
    expect(pinThread(0)).toBeNull();
    expect(readAffinity()).toEqual([]);
  });
});

describe.skipIf(!isLinux)('threads of this process (needs Linux)', () => {
  const ownThread = () => readAffinity().find(({ taskId }) => taskId === threadTaskId());

  it('are pinned, named and given back, as the kernel says itself', () => {
    const before = availableCpus();
    const nameBefore = ownThread()?.name ?? '';
    const last = before.at(-1) as number;
    try {
      expect(setProcessMask([last])).toBeNull();
      expect(new Set(readAffinity().map(({ cpus }) => cpus))).toEqual(new Set([String(last)]));
      expect(setProcessMask(before)).toBeNull();
      expect(pinThread(before[0] as number)).toBeNull();
      nameThread('fb-affinity-test-long');
      expect(ownThread()).toMatchObject({ name: 'fb-affinity-tes', cpus: String(before[0]) });
    } finally {
      setProcessMask(before);
      nameThread(nameBefore);
    }
    expect(availableCpus()).toEqual(before);
  });

  it('says why a thread cannot be pinned', () => {
    expect(pinThread(1023)).toMatch(/CPU 1023 failed: EINVAL/);
  });
});
