/** What all charts have in common: a frame with axes, their units, a legend, and colours for light and dark pages. Pure. */
import { type Axis, shortNumber } from './axis.js';

/** Pixels; charts are all equally large, so that pages are quiet. */
export const WIDTH = 760;
export const HEIGHT = 360;
export const LEFT = 74;
export const RIGHT = 24;
export const TOP = 88;
export const BOTTOM = 52;

/** Colours that can be told apart on white and, in their second form, on nearly black; in the order of use. */
const LIGHT = ['#0b7285', '#c2410c', '#4338ca', '#15803d', '#be185d', '#a16207', '#525252', '#7e22ce'];
const DARK = ['#22d3ee', '#fb923c', '#a5b4fc', '#4ade80', '#f472b6', '#facc15', '#c4c4c4', '#d8b4fe'];
/** Lines are told apart by their pattern, too. */
const DASHES = ['', '', '7 4', '', '2 3', '7 3 2 3', '', '7 4'];

/** How many series one chart can tell apart. */
export const MOST_SERIES = LIGHT.length;

function colourRules(colours: readonly string[]): string {
  return colours.map((colour, index) => `.l${index}{stroke:${colour}}.f${index}{fill:${colour}}`).join('');
}

const STYLE = `text{font:12px system-ui,sans-serif;fill:#333}.title{font-size:15px;font-weight:600;fill:#111}.page{fill:#fff}.grid{stroke:#e3e3e3}.axis{stroke:#888}.mark{stroke:#666;stroke-dasharray:3 3}.note{paint-order:stroke;stroke:#fff;stroke-width:4px}.line{fill:none;stroke-width:2}${colourRules(LIGHT)}${DASHES.map((dash, index) => (dash === '' ? '' : `.l${index}{stroke-dasharray:${dash}}`)).join('')}@media(prefers-color-scheme:dark){text{fill:#cfcfcf}.title{fill:#f2f2f2}.page{fill:#0d1117}.grid{stroke:#2b3038}.axis{stroke:#767c85}.mark{stroke:#9aa0a8}.note{stroke:#0d1117}${colourRules(DARK)}}`;

/** Text as XML. */
export function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** A pixel, short. */
export function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** A whole picture. @param title also its description for who cannot see it */
export function picture(title: string, inner: string, width = WIDTH, height = HEIGHT): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">\n<style>${STYLE}</style>\n<rect class="page" width="${width}" height="${height}"/>\n${inner}\n</svg>\n`;
}

/** Title and legend, above the drawing. @param limit what a dashed line across the drawing is, if there is one */
export function heading(title: string, names: readonly string[], isOfLines: boolean, limit?: string): string {
  let x = LEFT;
  let y = 46;
  const all = limit === undefined ? names : [...names, limit];
  const entries = all.map((name, index) => {
    const width = 46 + name.length * 6.7;
    if (x + width > WIDTH - RIGHT && x > LEFT) {
      x = LEFT;
      y += 18;
    }
    const entry = `${sign(index, index === names.length ? 'mark' : isOfLines ? 'line' : 'bar', x, y)}<text x="${px(x + 25)}" y="${y}">${escaped(name)}</text>`;
    x += width;
    return entry;
  });
  return `<text class="title" x="${LEFT}" y="22">${escaped(title)}</text>\n${entries.join('\n')}`;
}

function sign(index: number, kind: 'line' | 'bar' | 'mark', x: number, y: number): string {
  if (kind === 'bar') return `<rect class="f${index}" x="${px(x)}" y="${y - 10}" width="20" height="11"/>`;
  return `<path class="${kind === 'mark' ? 'mark' : `line l${index}`}" d="M${px(x)} ${y - 4}h20"/>`;
}

/** Horizontal lines with their values, and what they are values of. */
export function verticalScale(axis: Axis, label: string): string {
  const lines = axis.steps.map((step) => {
    const y = px(axis.position(step));
    return `<path class="grid" d="M${LEFT} ${y}H${WIDTH - RIGHT}"/><text x="${LEFT - 7}" y="${px(axis.position(step) + 4)}" text-anchor="end">${shortNumber(step)}</text>`;
  });
  const middle = (TOP + HEIGHT - BOTTOM) / 2;
  return `${lines.join('\n')}\n<text transform="translate(14 ${px(middle)}) rotate(-90)" text-anchor="middle">${escaped(label)}</text>`;
}

/** The line at the bottom and what is told along it. */
export function horizontalLabel(label: string): string {
  const y = HEIGHT - BOTTOM;
  return `<path class="axis" d="M${LEFT} ${y}H${WIDTH - RIGHT}"/><text x="${px((LEFT + WIDTH - RIGHT) / 2)}" y="${HEIGHT - 10}" text-anchor="middle">${escaped(label)}</text>`;
}
