import { get } from '../api.js';
import { chart } from '../chart.js';
import { h } from '../dom.js';

const percent = (value) => `${value.toFixed(1)} %`;
const celsius = (value) => `${value.toFixed(1)} °C`;
const shown = (value, format) => (value === null ? 'not known' : format(value));

/** CPU and temperature of the last day. `load` asks for them anew; `describe` takes what holds now, as `/health` has it under `host`. */
export function machineCharts(signal) {
  const lines = (format) => [
    { label: 'mean', format },
    { label: 'highest', format },
  ];
  const cpu = chart('CPU, all cores together', lines(percent));
  const temperature = chart('Temperature of the CPU', lines(celsius));
  const set = (plot, points, name) =>
    plot.set(
      points.map(({ start_us: us }) => us / 1e6),
      ['mean', 'max'].map((part) => points.map((point) => point[name]?.[part] ?? null)),
    );
  return {
    element: h('div', { class: 'columns' }, cpu.element, temperature.element),
    async load() {
      const { points } = await get('/api/v1/system', { since: '24h' }, signal);
      set(cpu, points, 'cpu_percent');
      set(temperature, points, 'temperature_c');
    },
    describe(host) {
      cpu.describe(`Now ${shown(host.cpu_percent, percent)}.`);
      temperature.describe(`Now ${shown(host.temperature_c, celsius)}.`);
    },
    close() {
      cpu.close();
      temperature.close();
    },
  };
}
