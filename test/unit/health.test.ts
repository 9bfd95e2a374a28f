import { describe, expect, it } from 'vitest';
import { HEALTH_REASONS, type HealthReasonCode } from '../../src/api/health-reasons.js';
import { Doorbell } from '../../src/ring/doorbell.js';
import { Drop } from '../../src/ring/drop-reason.js';
import { HostCell, HostField, ReducedMode } from '../../src/ring/host-layout.js';
import { Command, ThreadState } from '../../src/ring/layout.js';
import { LinkTable } from '../../src/ring/link-table.js';
import { RingProducer } from '../../src/ring/ring.js';
import { Cell, createThreadBlock, type ThreadBlock } from '../../src/ring/thread-block.js';
import { LinkState, NicCounter } from '../../src/ring/watch-layout.js';
import { WriteFault } from '../../src/ring/write-fault.js';
import { ApiPipeline } from '../helpers/api-pipeline.js';

const codes = (pipeline: ApiPipeline): string[] => pipeline.monitor.health().reasons.map((reason) => reason.code);
const parse0 = (pipeline: ApiPipeline): ThreadBlock => pipeline.parse[0] as ThreadBlock;

/** For every code: how a healthy pipeline comes to it, and what the message says. */
const CASES: Record<HealthReasonCode, { readonly cause: (pipeline: ApiPipeline) => void; readonly message: string }> = {
  thread_stalled: {
    cause: (pipeline) => {
      pipeline.silent.add(parse0(pipeline));
      pipeline.pass(5_100);
    },
    message: 'parse-0 gave no sign of life for 5.1 s',
  },
  thread_ended: {
    cause: (pipeline) => {
      parse0(pipeline).state = ThreadState.Ended;
    },
    message: 'parse-0 ended although nobody asked it to',
  },
  capture_ended: {
    cause: (pipeline) => {
      pipeline.capture.state = ThreadState.Ended;
    },
    message: 'the capture ended although nobody asked it to',
  },
  writer_stuck: {
    cause: (pipeline) => {
      pipeline.add(pipeline.writer, Cell.WriteErrors, 3);
      pipeline.add(pipeline.writer, Cell.WriteFailing, 1);
      pipeline.pass(31_000);
    },
    message: 'no row could be written for 30.0 s (failures in all: 3)',
  },
  starting: {
    cause: (pipeline) => {
      pipeline.writer.state = ThreadState.Starting;
    },
    message: 'writer is starting',
  },
  stopping: {
    cause: (pipeline) => {
      pipeline.capture.command = Command.Drain;
      parse0(pipeline).state = ThreadState.Draining;
    },
    message: 'waiting for capture, parse-0',
  },
  thread_restarted: {
    cause: (pipeline) => pipeline.add(parse0(pipeline), Cell.Starts, 2),
    message: 'parse-0 was replaced 2 times within the last 5 minutes (2 in all)',
  },
  kernel_drops: {
    cause: (pipeline) => {
      pipeline.add(pipeline.capture, Cell.KernelDropped, 5);
      pipeline.pass(120_000);
      pipeline.add(pipeline.capture, Cell.KernelDropped, 7);
    },
    message: 'the kernel dropped 7 packets within the last minute (12 in all)',
  },
  interface_down: {
    cause: (pipeline) => {
      const links = new LinkTable(pipeline.memory.links);
      links.add(0, 'eth0');
      links.check(0, LinkState.Missing, pipeline.session.startedUs + 20_000_000);
      links.setGap(0, 1, pipeline.session.startedUs + 20_000_000);
    },
    message: 'eth0 is not there, nothing is captured from it since 2025-06-15T15:07:00.000Z',
  },
  card_drops: {
    cause: (pipeline) => {
      const links = new LinkTable(pipeline.memory.links);
      links.add(0, 'eth0');
      const counters = links.counters(0);
      // A driver counts all kinds of unwanted packets as dropped; that alone is no reason.
      counters[NicCounter.RxDropped] = 1000;
      counters[NicCounter.RxMissed] = 4;
      pipeline.pass(120_000);
      counters[NicCounter.RxFifo] = 2;
      counters[NicCounter.RxOver] = 3;
    },
    message: 'the network card lost 5 packets within the last minute (9 in all)',
  },
  ring_full: {
    cause: (pipeline) => {
      pipeline.drop(4, Drop.RingFull, pipeline.capture);
      pipeline.pass(120_000);
      pipeline.drop(9, Drop.RingFull, pipeline.capture);
    },
    message: 'full rings dropped 9 packets within the last minute (13 in all)',
  },
  ring_filling: {
    cause: (pipeline) => {
      const ring = pipeline.memory.flowRings[1];
      for (let index = 0; index < 3; index++) pipeline.push(ring, 18_000);
    },
    message: 'the ring from parse-1 to the writer is 82 % full',
  },
  parse_blocked: {
    cause: (pipeline) => {
      pipeline.add(parse0(pipeline), Cell.WriterRingFull, 1);
      pipeline.pass(60_000);
      pipeline.add(parse0(pipeline), Cell.WriterRingFull, 1);
    },
    message: 'parse workers waited once for the writer within the last 10 s',
  },
  writer_busy: {
    cause: (pipeline) => pipeline.add(pipeline.writer, Cell.BusyRetries, 2),
    message: 'another process held the database 2 times within the last 10 s (2 in all)',
  },
  writer_failing: {
    cause: (pipeline) => {
      pipeline.add(pipeline.writer, Cell.WriteErrors, 1);
      pipeline.add(pipeline.writer, Cell.WriteFailing, 1);
      pipeline.add(pipeline.writer, Cell.WriteFault, WriteFault.DiskFull);
      pipeline.pass(29_000);
    },
    message: 'no row could be written for 28.0 s: the disk is full (failures in all: 1)',
  },
  rows_lost: {
    cause: (pipeline) => {
      pipeline.add(pipeline.writer, Cell.FlowsLost, 3);
      pipeline.pass(120_000);
      pipeline.add(pipeline.writer, Cell.FlowsLost, 4);
    },
    message: '4 flows were lost within the last minute (7 in all)',
  },
  backup_failed: {
    cause: (pipeline) => pipeline.add(pipeline.writer, Cell.BackupFailures, 2),
    message: 'the daily backup failed 2 times; the log says why',
  },
  save_failed: {
    cause: (pipeline) => {
      pipeline.add(pipeline.writer, Cell.RamBytesMax, 1e9);
      pipeline.add(pipeline.writer, Cell.SaveFailures, 1);
    },
    message: 'saving the database failed once; its rows lie in memory, and the log says why',
  },
  rows_shed: {
    cause: (pipeline) => pipeline.add(pipeline.writer, Cell.FlowsShed, 6),
    message: '6 flows were left out within the last minute (6 in all): too much is written',
  },
  addresses_overflowed: {
    cause: (pipeline) => pipeline.add(pipeline.writer, Cell.AddressesOverflowed, 6),
    message: '6 IPv6 addresses found no room within the last minute (6 in all)',
  },
  host_hot: {
    cause: ({ host }) => {
      host.fields[HostField.TemperatureC] = 80;
    },
    message: 'the CPU has 80.0 °C',
  },
  host_throttled: {
    cause: ({ host }) => {
      host.fields[HostField.ThrottleBits] = 0x40004;
    },
    message: 'the firmware slows the CPU down',
  },
  host_under_voltage: {
    cause: ({ host }) => {
      host.fields[HostField.ThrottleBits] = 0x10001;
    },
    message: 'the supply voltage is too low',
  },
  log_failing: {
    cause: ({ host }) => {
      host.cells[HostCell.LogFailing] = 1;
      host.cells[HostCell.LogLost] = 7;
    },
    message: 'the log cannot be written; 7 lines are lost so far',
  },
  reduced_mode: {
    cause: ({ host }) => {
      host.setReduced(ReducedMode.MemoryCaches, true);
      host.setReduced(ReducedMode.HeatChores, true);
      host.setReduced(ReducedMode.LoadPayload, true);
    },
    message: 'flowberry does less to go on: memory_caches_cleared, load_payload_unread',
  },
  ledger_unbalanced: {
    cause: (pipeline) => {
      pipeline.receive(10);
      pipeline.add(parse0(pipeline), Cell.PacketsInFlows, 1);
    },
    message: '10 received, 11 in flows and 0 dropped leave 0 in rings and -1 in hand',
  },
};

describe('every reason', () => {
  it.each(Object.keys(CASES) as HealthReasonCode[])('%s', (code) => {
    const pipeline = new ApiPipeline().running();
    expect(pipeline.monitor.health()).toMatchObject({ status: 'ok', reasons: [] });
    CASES[code].cause(pipeline);
    const { severity } = HEALTH_REASONS[code];
    const expected = { status: severity, reasons: [{ code, severity, message: CASES[code].message }] };
    const { status, reasons } = pipeline.monitor.health();
    expect({ status, reasons }).toEqual(expected);
  });

  it('explains itself to operators', () => {
    for (const [code, entry] of Object.entries(HEALTH_REASONS)) {
      expect(code).toMatch(/^[a-z_]+$/);
      expect(entry.meaning).toMatch(/^[A-Z].*\.$|^flowberry.*\.$/);
    }
  });
});

describe('the start', () => {
  it('gives every thread ten seconds', () => {
    const pipeline = new ApiPipeline();
    pipeline.nowMs += 10_000;
    expect(pipeline.monitor.health().status).toBe('degraded');
    expect(codes(pipeline)).toEqual(['starting', 'starting', 'starting', 'starting']);
    pipeline.nowMs += 1;
    expect(pipeline.monitor.health().status).toBe('failed');
    expect(pipeline.monitor.health().reasons[0]?.message).toBe('capture gave no sign of life since flowberry started 10.0 s ago');
  });

  it('gives a replaced thread as long as it beats', () => {
    const pipeline = new ApiPipeline().running();
    pipeline.writer.state = ThreadState.Starting;
    pipeline.pass(60_000);
    expect(codes(pipeline)).toEqual(['starting']);
    pipeline.silent.add(pipeline.writer);
    pipeline.pass(36_000);
    expect(codes(pipeline)).toEqual(['thread_stalled']);
  });
});

describe('losses', () => {
  it('are told place by place, since the start and within the last minute', () => {
    const pipeline = new ApiPipeline().running();
    const refuse = (worker: number, count: number): void => {
      const ring = new RingProducer(pipeline.memory.frameRings[worker] as SharedArrayBuffer, new Doorbell(createThreadBlock()));
      for (let refused = 0; refused < count; refused++) ring.countRefused();
    };
    pipeline.add(pipeline.capture, Cell.KernelDropped, 7);
    pipeline.drop(2, Drop.WorkerCrash, parse0(pipeline));
    refuse(0, 3);
    pipeline.pass(120_000);
    refuse(1, 5);
    pipeline.drop(4, Drop.CaptureCrash, pipeline.capture);
    pipeline.pass(1_000);
    expect(pipeline.monitor.health().losses).toEqual([
      { where: 'nic', packets: 0, last_minute_packets: 0 },
      { where: 'kernel', packets: 7, last_minute_packets: 0 },
      { where: 'ring-0', packets: 3, last_minute_packets: 0 },
      { where: 'ring-1', packets: 5, last_minute_packets: 5 },
      { where: 'crash', packets: 6, last_minute_packets: 4 },
    ]);
  });
});

describe('what is over', () => {
  it.each([
    ['kernel_drops', 60_000, (pipeline: ApiPipeline) => pipeline.add(pipeline.capture, Cell.KernelDropped, 1)],
    ['ring_full', 60_000, (pipeline: ApiPipeline) => pipeline.drop(1, Drop.RingFull, pipeline.capture)],
    ['addresses_overflowed', 60_000, (pipeline: ApiPipeline) => pipeline.add(pipeline.writer, Cell.AddressesOverflowed, 1)],
    ['rows_shed', 60_000, (pipeline: ApiPipeline) => pipeline.add(pipeline.writer, Cell.FlowsShed, 1)],
    ['parse_blocked', 10_000, (pipeline: ApiPipeline) => pipeline.add(parse0(pipeline), Cell.WriterRingFull, 1)],
    ['writer_busy', 10_000, (pipeline: ApiPipeline) => pipeline.add(pipeline.writer, Cell.BusyRetries, 1)],
    ['thread_restarted', 300_000, (pipeline: ApiPipeline) => pipeline.add(parse0(pipeline), Cell.Starts, 1)],
  ] as const)('%s is told for %i ms', (code, windowMs, cause) => {
    const pipeline = new ApiPipeline().running();
    cause(pipeline);
    pipeline.pass(windowMs - 1_000);
    expect(codes(pipeline)).toEqual([code]);
    pipeline.pass(1_000);
    expect(codes(pipeline)).toEqual([code]);
    pipeline.pass(1_000);
    expect(codes(pipeline)).toEqual([]);
  });

  it('tells what happened before the first sample of a young session', () => {
    const pipeline = new ApiPipeline();
    pipeline.add(pipeline.capture, Cell.KernelDropped, 3);
    pipeline.running();
    expect(codes(pipeline)).toEqual(['kernel_drops']);
  });

  it('tells again when a write fails anew', () => {
    const pipeline = new ApiPipeline().running();
    pipeline.add(pipeline.writer, Cell.WriteFailing, 1);
    pipeline.pass(40_000);
    pipeline.add(pipeline.writer, Cell.WriteFailing, -1);
    pipeline.pass(1_000);
    expect(codes(pipeline)).toEqual([]);
    pipeline.add(pipeline.writer, Cell.WriteFailing, 1);
    pipeline.pass(2_000);
    expect(codes(pipeline)).toEqual(['writer_failing']);
  });
});

describe('threads', () => {
  it('lets the writer wait for the database as long as the option says', () => {
    const pipeline = new ApiPipeline({ dbBusyTimeoutMs: 20_000 }).running();
    pipeline.silent.add(pipeline.writer);
    pipeline.pass(5_000);
    expect(codes(pipeline)).toEqual([]);
    pipeline.pass(20_000);
    expect(codes(pipeline)).toEqual(['writer_busy']);
    pipeline.pass(1_000);
    expect(codes(pipeline)).toEqual(['thread_stalled']);
  });

  it('may end when they were asked to', () => {
    const pipeline = new ApiPipeline().running();
    for (const block of [pipeline.capture, ...pipeline.parse, pipeline.writer]) {
      block.command = Command.Drain;
      block.state = ThreadState.Ended;
    }
    pipeline.pass(60_000);
    expect(codes(pipeline)).toEqual([]);
  });

  it('tells that the API thread itself was replaced, late in a session', () => {
    const pipeline = new ApiPipeline().running();
    pipeline.pass(400_000);
    pipeline.add(parse0(pipeline), Cell.Starts, 1);
    pipeline.add(pipeline.api, Cell.Starts, 1);
    const successor = pipeline.newMonitor();
    expect(successor.health().reasons.map((reason) => reason.message)).toEqual([
      'api was replaced once within the last 5 minutes (1 in all)',
    ]);
  });

  it('puts failures before what is merely degraded', () => {
    const pipeline = new ApiPipeline().running();
    pipeline.writer.state = ThreadState.Starting;
    pipeline.add(pipeline.capture, Cell.KernelDropped, 1);
    pipeline.capture.state = ThreadState.Ended;
    expect(codes(pipeline)).toEqual(['capture_ended', 'starting', 'kernel_drops']);
    expect(pipeline.monitor.health().status).toBe('failed');
  });
});

describe('a replay', () => {
  it('may end its capture and fill its rings', () => {
    const pipeline = new ApiPipeline({ mode: 'replay' }).running();
    pipeline.capture.state = ThreadState.Ended;
    pipeline.add(parse0(pipeline), Cell.WriterRingFull, 5);
    for (let index = 0; index < 3; index++) pipeline.push(pipeline.memory.frameRings[0], 18_000);
    expect(pipeline.monitor.health()).toMatchObject({ status: 'ok', reasons: [] });
  });
});
