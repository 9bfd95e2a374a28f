import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { METRICS } from '../../src/api/metric-table.js';
import { Metrics } from '../../src/api/metrics.js';
import { LinkTable } from '../../src/ring/link-table.js';
import { ApiPipeline } from '../helpers/api-pipeline.js';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: unknown;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string; readonly datasource: unknown }[];
}

interface Dashboard {
  readonly templating: { readonly list: readonly { name: string; type: string; query: unknown; datasource?: unknown }[] };
  readonly panels: readonly Panel[];
}

const text = readFileSync(new URL('../../deploy/grafana-dashboard.json', import.meta.url), 'utf8');
const dashboard = JSON.parse(text) as Dashboard;
const targets = dashboard.panels.flatMap((panel) => panel.targets ?? []);
const SOURCE = { type: 'prometheus', uid: '$datasource' };
/** Labels that Prometheus gives to what it fetches. */
const TARGET_LABELS = ['instance', 'job'];
const SELECTOR = /([a-zA-Z_:][\w:]*)\{([^}]*)\}/g;

/** Every metric of an expression with its matchers. */
const selectorsOf = (expr: string) =>
  [...expr.matchAll(SELECTOR)].map(([, name = '', matchers = '']) => ({
    name,
    matchers: [...matchers.matchAll(/(\w+)(=~?)"([^"]*)"/g)].map(([, label = '', operator = '', value = '']) => ({
      label,
      pattern: operator === '=' ? value.replaceAll(/[^\w]/g, '\\$&') : value,
    })),
  }));
const labelsOf = (name: string): readonly string[] => [...(METRICS[name]?.labels ?? []), ...TARGET_LABELS];

describe('the dashboard for Grafana', () => {
  let output: string;

  beforeAll(async () => {
    const pipeline = new ApiPipeline().running();
    new LinkTable(pipeline.memory.links).add(0, 'eth0');
    output = await new Metrics().render(pipeline.monitor.metricInput());
  });

  it('asks a data source that whoever imports it chooses', () => {
    const [source] = dashboard.templating.list;
    expect(source).toMatchObject({ name: 'datasource', type: 'datasource', query: 'prometheus' });
    for (const { datasource } of [...targets, ...dashboard.panels.filter(({ type }) => type !== 'row')])
      expect(datasource).toEqual(SOURCE);
    expect(dashboard.templating.list[1]).toMatchObject({ name: 'instance', datasource: SOURCE });
  });

  it('has panels with ids of their own that do not lie on each other', () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const [index, { title, type, gridPos: a, targets: own = [] }] of panels.entries()) {
      expect(a.x + a.w, title).toBeLessThanOrEqual(24);
      expect(own.length > 0, title).toBe(type !== 'row');
      const covered = panels
        .slice(index + 1)
        .filter(({ gridPos: b }) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h);
      expect(
        covered.map((other) => other.title),
        title,
      ).toEqual([]);
    }
  });

  it('asks for metrics, labels and values that /metrics has', () => {
    expect(targets.length).toBeGreaterThan(30);
    for (const { expr, legendFormat } of targets) {
      const selectors = selectorsOf(expr);
      expect(selectors.length, expr).toBeGreaterThan(0);
      for (const { name, matchers } of selectors) {
        expect(Object.keys(METRICS), expr).toContain(name);
        expect(output).toContain(`# TYPE ${name} `);
        for (const { label, pattern } of matchers) {
          expect(labelsOf(name), expr).toContain(label);
          if (label === 'instance') expect(pattern, expr).toBe('$instance');
          else expect(output, expr).toMatch(new RegExp(`^${name}\\{[^}]*\\b${label}="(${pattern})"`, 'm'));
        }
        expect(
          matchers.map(({ label }) => label),
          expr,
        ).toContain('instance');
      }
      const [first] = selectors;
      const inSums = [...expr.matchAll(/ by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(', '));
      const inLegend = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
      for (const label of [...inSums, ...inLegend])
        expect(labelsOf(first?.name ?? ''), `${expr}: ${legendFormat}`).toContain(label);
    }
  });

  it('takes rates of counters, and of nothing else', () => {
    for (const { expr } of targets) {
      // What is left without metrics and labels is functions, numbers and operators.
      const rest = expr
        .replaceAll(SELECTOR, '')
        .replaceAll(/ by \([^)]*\)/g, '')
        .replaceAll('[$__rate_interval]', '');
      expect(rest.match(/[a-zA-Z_]+/g)?.filter((word) => !['sum', 'rate'].includes(word)) ?? [], expr).toEqual([]);
      expect(expr.match(/\brate\(/g)?.length ?? 0, expr).toBe(expr.match(/\[\$__rate_interval\]/g)?.length ?? 0);
      for (const [, name = ''] of expr.matchAll(/rate\(([\w:]*)/g)) {
        expect(name, expr).toMatch(/_total$/);
        expect(METRICS[name]?.type, expr).toBe('counter');
      }
    }
  });
});
