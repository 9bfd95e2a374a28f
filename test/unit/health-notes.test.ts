import { describe, expect, it } from 'vitest';
import { healthSchema } from '../../src/api/schema.js';
import { formatStatus } from '../../src/cli/status-format.js';
import { Cell, type ThreadBlock } from '../../src/ring/thread-block.js';
import { ApiPipeline } from '../helpers/api-pipeline.js';

describe('the notes of /health', () => {
  it('are empty while there is nothing to tell', () => {
    expect(new ApiPipeline().running().monitor.health().notes).toEqual([]);
  });

  it('tell of earlier runs that did not end, of clock steps, and of threads that hung, whatever the status', () => {
    const pipeline = new ApiPipeline().running();
    pipeline.add(pipeline.writer, Cell.UncleanSessions, 2);
    pipeline.add(pipeline.writer, Cell.PacketsUnwritten, 77);
    pipeline.add(pipeline.capture, Cell.ClockSteps, 1);
    pipeline.add(pipeline.capture, Cell.ClockOffsetMs, -3_600_000);
    pipeline.add(pipeline.parse[1] as ThreadBlock, Cell.Hangs, 3);
    for (const cell of [Cell.FilesSetAside, Cell.FilesReplaced, Cell.BackupsMade]) pipeline.add(pipeline.writer, cell, 1);
    pipeline.add(pipeline.writer, Cell.FlowsLost, 5);
    pipeline.pass(120_000);
    const health = pipeline.monitor.health();
    expect(health.status).toBe('ok');
    expect(health.notes).toEqual([
      { code: 'unclean_start', message: expect.stringMatching(/^2 earlier runs did not end: they had counted 77 packets/) },
      { code: 'clock_stepped', message: expect.stringMatching(/set 1 times and is -3600.0 s from/) },
      { code: 'threads_hung', message: 'ended without a sign of life: parse-1 3 times' },
      { code: 'file_set_aside', message: expect.stringMatching(/moved aside 1 times/) },
      { code: 'file_replaced', message: expect.stringMatching(/replaced 1 times/) },
      { code: 'rows_lost', message: expect.stringMatching(/^5 flows/) },
      { code: 'backups_made', message: expect.stringMatching(/^1 daily/) },
    ]);
    expect(healthSchema.parse(health)).toEqual(health);
    expect(formatStatus(health, null)).toContain('\n  note: unclean_start: 2 earlier runs');
  });
});
