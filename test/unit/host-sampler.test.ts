import { statfsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { HostSampler } from '../../src/host/host-sampler.js';
import { HOST_FIELDS, HostField } from '../../src/ring/host-layout.js';
import { temporaryDirectory } from '../helpers/flow-records.js';
import { FakeHost, THROTTLED } from '../helpers/sampled-host.js';

/** The sample as an object; what is not known is null. */
function fieldsOf({ fields }: HostSampler): Record<string, number | null> {
  return Object.fromEntries(
    HOST_FIELDS.map((name, index) => [name, Number.isNaN(fields[index]) ? null : (fields[index] as number)]),
  );
}

/** What one look at `host` finds. */
function look(host: FakeHost): Record<string, number | null> {
  const sampler = new HostSampler(host.roots, host.root);
  sampler.sample(1000);
  return fieldsOf(sampler);
}

describe('the sampler', () => {
  it('reads every field', () => {
    const host = new FakeHost()
      .cpu({ busy: 1000, idle: 9000 })
      .processTicks(300)
      .disk(10, 20)
      .network(1000, 2000)
      .throttle(0x50000);
    const sampler = new HostSampler(host.roots, host.root);
    sampler.sample(0);
    host.cpu({ busy: 1250, idle: 9750 }).processTicks(450);
    sampler.sample(5000);
    const { disk_free_bytes: free, disk_total_bytes: total, ...rest } = fieldsOf(sampler);
    expect(rest).toEqual({
      cpu_percent: 25,
      process_cpu_percent: 30,
      frequency_mhz: 2400,
      temperature_c: 45.5,
      memory_available_bytes: 5_000 * 2 ** 20,
      resident_bytes: 120 * 2 ** 20,
      cpu_pressure_percent: 1.5,
      memory_pressure_percent: 0.25,
      io_pressure_percent: 7,
      disk_read_bytes: 5120,
      disk_written_bytes: 10_240,
      network_received_bytes: 1000,
      network_sent_bytes: 2000,
      throttle_bits: 0x50000,
      memory_total_bytes: 8_000 * 2 ** 20,
    });
    const { blocks, bsize } = statfsSync(host.root);
    expect(total).toBe(blocks * bsize);
    expect(free).toBeGreaterThan(0);
    expect(free).toBeLessThanOrEqual(total as number);
  });

  it('knows no share of CPU before there are two samples', () => {
    expect(look(new FakeHost())).toMatchObject({ cpu_percent: null, process_cpu_percent: null, temperature_c: 45.5 });
  });

  it('takes what a machine does not show as not known, field by field', () => {
    const nowhere = { procfs: `${temporaryDirectory()}/none`, sysfs: '/none' };
    const sampler = new HostSampler(nowhere, '/none');
    sampler.sample(0);
    sampler.sample(5000);
    expect(Object.values(fieldsOf(sampler))).toEqual(HOST_FIELDS.map(() => null));
    expect(look(new FakeHost().remove('proc/pressure'))).toMatchObject({ cpu_pressure_percent: null, temperature_c: 45.5 });
  });

  it('finds the firmware wherever the bus of the model puts it', () => {
    const text = '80005\n';
    for (const place of ['soc@107c000000/soc@107c000000:firmware', 'soc:firmware']) {
      const host = new FakeHost().remove(THROTTLED).write(`sys/devices/platform/${place}/get_throttled`, text);
      expect(look(host)['throttle_bits'], place).toBe(0x80005);
    }
  });

  it('goes by the alarm of the voltage where the firmware has no file', () => {
    const host = new FakeHost().remove(THROTTLED).write('sys/class/hwmon/hwmon0/name', 'cpu_thermal\n');
    expect(look(host)['throttle_bits']).toBe(null);
    host.write('sys/class/hwmon/hwmon1/name', 'rpi_volt\n').write('sys/class/hwmon/hwmon1/in0_lcrit_alarm', '0\n');
    expect(look(host)['throttle_bits']).toBe(0);
    expect(look(host.write('sys/class/hwmon/hwmon1/in0_lcrit_alarm', '1\n'))['throttle_bits']).toBe(1);
  });

  it('takes the first sensor where none is named after the CPU', () => {
    const host = new FakeHost().remove('sys/class/thermal/thermal_zone1');
    host.write('sys/class/thermal/thermal_zone0/type', 'other\n');
    expect(look(host)['temperature_c']).toBe(99);
  });

  it.skipIf(process.platform !== 'linux')('reads the machine that it runs on', () => {
    const sampler = new HostSampler({ procfs: '/proc', sysfs: '/sys' }, '/');
    sampler.sample(0);
    expect(sampler.fields[HostField.ResidentBytes]).toBeGreaterThan(2 ** 20);
    expect(sampler.fields[HostField.MemoryTotalBytes]).toBeGreaterThan(sampler.fields[HostField.MemoryAvailableBytes] as number);
    expect(sampler.fields[HostField.DiskFreeBytes]).toBeGreaterThan(0);
    expect(sampler.fields[HostField.NetworkReceivedBytes]).toBeGreaterThanOrEqual(0);
  });
});
