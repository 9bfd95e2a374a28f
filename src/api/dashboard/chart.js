import { h } from './dom.js';
import { clock, moment, tick } from './format.js';

const HEIGHT = 200;
/** Names of the colours of lines in theme.css. */
const COLORS = ['--line-1', '--line-2', '--line-3'];

const colorOf = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Shades the stretches in which packets are known to be missing. */
function shadeIncomplete(getSpans) {
  return (plot) => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.fillStyle = colorOf('--incomplete');
    for (const [from, to] of getSpans()) {
      const left = Math.max(plot.valToPos(from, 'x', true), bbox.left);
      const right = Math.min(plot.valToPos(to, 'x', true), bbox.left + bbox.width);
      if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height);
    }
    ctx.restore();
  };
}

/**
 * A chart over time; with `windowS`, of that many seconds up to the last value. `lines` are `{ label, format }`; `set(times, values, spans)` shows seconds since 1970, a list of values for each line, and
 * the spans `[from, to]` that are incomplete. `describe` says in words what is to be seen, for those who do not see it.
 */
export function chart(title, lines, { isFilled = false, windowS = 0 } = {}) {
  const place = h('div', { class: 'plot', 'aria-hidden': 'true' });
  const words = h('figcaption', {}, title);
  const figure = h('figure', { class: 'chart' }, words, place);
  let plot = null;
  let last = null;
  let spans = [];
  let isFlat = true;

  const make = (data) => {
    const axisColor = colorOf('--muted');
    const grid = { stroke: colorOf('--grid'), width: 1 };
    const format = lines[0].format;
    plot?.destroy();
    plot = new uPlot(
      {
        width: place.clientWidth || 300,
        height: HEIGHT,
        legend: { live: true },
        cursor: { y: false, points: { size: 6 } },
        scales: {
          x: windowS > 0 ? { range: (_, __, max) => [max - windowS, max] } : {},
          y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] },
        },
        axes: [
          { stroke: axisColor, grid, ticks: grid, space: 70, values: (self, ticks) => clock(ticks, spanOf(self)) },
          {
            stroke: axisColor,
            grid,
            ticks: grid,
            size: 84,
            values: (_, ticks) => ticks.map((value) => (isFlat && value > 0 ? '' : tick(format(value)))),
          },
        ],
        series: [
          { value: (_, seconds) => (seconds === null ? '–' : moment(seconds * 1e6)) },
          ...lines.map(({ label, format: show }, index) => ({
            label,
            stroke: colorOf(COLORS[index]),
            fill: isFilled ? `${colorOf(COLORS[index])}22` : undefined,
            width: 1.5,
            spanGaps: false,
            points: { show: false },
            value: (_, value) => (value === null || value === undefined ? '–' : show(value)),
          })),
        ],
        hooks: { drawClear: [shadeIncomplete(() => spans)] },
      },
      data,
      place,
    );
  };

  const resize = new ResizeObserver(() => {
    if (plot && place.clientWidth > 0) plot.setSize({ width: place.clientWidth, height: HEIGHT });
  });
  resize.observe(place);
  const scheme = matchMedia('(prefers-color-scheme: dark)');
  const recolor = () => last && make(last);
  scheme.addEventListener('change', recolor);

  return {
    element: figure,
    set(times, values, incomplete = []) {
      spans = incomplete;
      last = [times, ...values];
      // Where nothing rises above 0 there is no scale either.
      isFlat = !values.some((line) => line.some((value) => value > 0));
      if (plot) plot.setData(last);
      else if (times.length > 0) make(last);
    },
    describe(text) {
      words.replaceChildren(title, h('span', { class: 'words' }, text));
    },
    close() {
      resize.disconnect();
      scheme.removeEventListener('change', recolor);
      plot?.destroy();
      plot = null;
    },
  };
}

const spanOf = ({ scales }) => scales.x.max - scales.x.min;

/** Least part of a step that sums must reach for it to have a rate. */
const STEP_PART_MIN = 0.2;

/**
 * What a member of the points was per second, for each of them. Sums reach up to `reachesUs`: of the step that it lies in only the part
 * before it counts, and steps behind it have no rate yet.
 */
export function rates(points, member, stepUs, reachesUs) {
  return points.map((point) => {
    const reachedUs = Math.min(stepUs, (reachesUs ?? 0) - point.start_us);
    return reachedUs < stepUs * STEP_PART_MIN ? null : (point[member] * 1e6) / reachedUs;
  });
}

/** The spans of the points that are not complete, for `set`. */
export function incompleteSpans(points, stepUs) {
  return points.filter(({ complete }) => !complete).map(({ start_us }) => [start_us / 1e6, (start_us + stepUs) / 1e6]);
}
