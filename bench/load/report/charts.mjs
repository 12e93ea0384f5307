/** Charts as SVG text: bars, lines over time, and percentiles on a log scale. Pure. */

const WIDTH = 720;
const HEIGHT = 260;
const LEFT = 70;
const BOTTOM = 36;
const TOP = 32;
const RIGHT = 28;
const COLOURS = ['#0f766e', '#b45309', '#1d4ed8', '#be123c', '#6d28d9', '#4d7c0f', '#334155', '#a16207'];

/** Text as HTML. @param {unknown} text */
export const escaped = (text) => String(text).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** Colour of the n-th candidate; the same in all charts of a scenario. */
export const colourOf = (index) => COLOURS[index % COLOURS.length];

/** Round steps of an axis from 0 to at least `most`. @returns {number[]} */
export function stepsTo(most, count = 5) {
  if (!(most > 0)) return [0, 1];
  const rough = most / count;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * magnitude).find((candidate) => candidate >= rough);
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, index) => Number((index * step).toPrecision(6)));
}

function frame(title, inner, yLabel) {
  return `<figure><figcaption>${escaped(title)}</figcaption><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">
<text class="label" x="4" y="12">${escaped(yLabel)}</text>${inner}</svg></figure>`;
}

function horizontalGrid(steps, yOf, textOf) {
  return steps
    .map(
      (step) =>
        `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${yOf(step)}" y2="${yOf(step)}"/><text class="tick" x="${LEFT - 6}" y="${yOf(step) + 4}" text-anchor="end">${escaped(textOf(step))}</text>`,
    )
    .join('');
}

/** Bars. @param {string} title @param {string} unit @param {readonly { name: string, value: number, low: number, high: number }[]} bars with the range of their rounds */
export function barChart(title, unit, bars) {
  const steps = stepsTo(Math.max(...bars.map(({ high }) => high)));
  const yOf = (value) => HEIGHT - BOTTOM - (value / steps.at(-1)) * (HEIGHT - BOTTOM - TOP);
  const slot = (WIDTH - LEFT - RIGHT) / bars.length;
  const drawn = bars.map(({ name, value, low, high }, index) => {
    const width = Math.min(slot * 0.6, 90);
    const x = LEFT + slot * index + (slot - width) / 2;
    const middle = x + width / 2;
    return `<rect x="${x}" width="${width}" y="${yOf(value)}" height="${yOf(0) - yOf(value)}" fill="${colourOf(index)}"><title>${escaped(name)}: ${value.toFixed(2)} ${escaped(unit)}</title></rect>
<line class="range" x1="${middle}" x2="${middle}" y1="${yOf(low)}" y2="${yOf(high)}"/><text class="value" x="${middle}" y="${yOf(high) - 5}" text-anchor="middle">${value.toFixed(1)}</text>
<text class="tick" x="${middle}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${escaped(name)}</text>`;
  });
  return frame(title, horizontalGrid(steps, yOf, String) + drawn.join(''), unit);
}

function lines(series, xOf, yOf) {
  return series
    .map(({ name, points }, index) => {
      const path = points
        .map(([x, y], at) => `${at === 0 ? 'M' : 'L'}${xOf(x).toFixed(1)},${yOf(y).toFixed(1)}`)
        .join('');
      const dots = points
        .map(
          ([x, y]) => `<circle cx="${xOf(x).toFixed(1)}" cy="${yOf(y).toFixed(1)}" r="3" fill="${colourOf(index)}"/>`,
        )
        .join('');
      return `<path d="${path}" fill="none" stroke="${colourOf(index)}" stroke-width="2"><title>${escaped(name)}</title></path>${dots}`;
    })
    .join('');
}

/** Lines over seconds. @param {string} title @param {string} unit @param {readonly { name: string, points: readonly (readonly [second: number, value: number])[] }[]} series */
export function timeChart(title, unit, series) {
  const steps = stepsTo(Math.max(...series.flatMap(({ points }) => points.map(([, value]) => value))));
  const seconds = stepsTo(Math.max(...series.flatMap(({ points }) => points.map(([second]) => second))), 8);
  const xOf = (second) => LEFT + (second / seconds.at(-1)) * (WIDTH - LEFT - RIGHT);
  const yOf = (value) => HEIGHT - BOTTOM - (value / steps.at(-1)) * (HEIGHT - BOTTOM - TOP);
  const ticks = seconds.map(
    (second) =>
      `<text class="tick" x="${xOf(second)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${second} s</text>`,
  );
  return frame(
    title,
    horizontalGrid(steps, yOf, (step) => step.toLocaleString('en-US')) + ticks.join('') + lines(series, xOf, yOf),
    unit,
  );
}

/** Both axes logarithmic: percentiles as their distance to 100 %, latency in µs. @param {readonly { name: string, points: readonly (readonly [percentile: number, us: number])[] }[]} series */
export function latencyChart(title, series) {
  const kept = series.map(({ name, points }) => ({
    name,
    points: points.filter(([percentile, us]) => percentile >= 10 && percentile < 100 && us > 0),
  }));
  const all = kept.flatMap(({ points }) => points.map(([, us]) => us));
  const lowest = Math.floor(Math.log10(Math.min(...all)));
  const highest = Math.max(Math.ceil(Math.log10(Math.max(...all))), lowest + 1);
  const yOf = (us) => HEIGHT - BOTTOM - ((Math.log10(us) - lowest) / (highest - lowest)) * (HEIGHT - BOTTOM - TOP);
  const xOf = (percentile) => LEFT + ((2 - Math.log10(100 - percentile)) / 4) * (WIDTH - LEFT - RIGHT);
  const decades = Array.from({ length: highest - lowest + 1 }, (_, index) => 10 ** (lowest + index));
  const decadeText = (us) => (us < 1000 ? `${us} µs` : us < 1e6 ? `${us / 1000} ms` : `${us / 1e6} s`);
  const ticks = [10, 50, 90, 99, 99.9, 99.99].map(
    (percentile) =>
      `<text class="tick" x="${xOf(percentile)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${percentile} %</text>`,
  );
  return frame(title, horizontalGrid(decades, yOf, decadeText) + ticks.join('') + lines(kept, xOf, yOf), 'latency');
}

/** Which colour is whose. @param {readonly string[]} names */
export function legend(names) {
  return `<p class="legend">${names.map((name, index) => `<span><i style="background:${colourOf(index)}"></i>${escaped(name)}</span>`).join('')}</p>`;
}
