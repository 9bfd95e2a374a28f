import { Counter, Gauge, Registry } from 'prom-client';
import type { MetricEntry, MetricInput } from './metric-entry.js';
import { METRICS } from './metric-table.js';

/**
 * Prometheus' text format, version 0.0.4. The counters live in shared memory and not in prom-client, so every scrape sets all
 * values anew. A registry of its own, since prom-client's default one is shared by everybody in the process.
 */
export class Metrics {
  private readonly registry = new Registry();
  private readonly setters: ((input: MetricInput) => void)[];

  constructor() {
    this.setters = Object.entries(METRICS).map(([name, entry]) => this.register(name, entry));
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  render(input: MetricInput): Promise<string> {
    for (const set of this.setters) set(input);
    return this.registry.metrics();
  }

  private register(name: string, { type, help, labels = [], values }: MetricEntry): (input: MetricInput) => void {
    const options = { name, help, labelNames: labels, registers: [this.registry] };
    if (type === 'counter') {
      const counter = new Counter(options);
      return (input) => {
        counter.reset();
        const series = values(input);
        if (series.length === 0 && labels.length === 0) counter.remove();
        for (const [seriesLabels, value] of series) counter.inc(seriesLabels, value);
      };
    }
    const gauge = new Gauge(options);
    return (input) => {
      // A reset gives a metric without labels the value 0, also where there is none to show.
      gauge.reset();
      const series = values(input);
      if (series.length === 0 && labels.length === 0) gauge.remove();
      for (const [seriesLabels, value] of series) gauge.set(seriesLabels, value);
    };
  }
}
