/** A small picture of one balancer: which part of the requests each endpoint got. Pure. */
import { escaped, picture, px } from './svg.js';

const WIDTH = 250;
const HEIGHT = 96;
const LEFT = 8;
const BASE = 76;
const ROOM = 40;
const BAR = 30;
const HIGHEST = 54;

/** One endpoint of a portrait. */
export interface PortraitBar {
  readonly name: string;
  /** 0 .. 1 */
  readonly share: number;
}

/** Share of a full bar, the same in all portraits so that they can be compared; a longer one is cut, its figure tells. */
const FULL_SHARE = 0.4;

/** Draws it. @param title also its description */
export function drawPortrait(title: string, bars: readonly PortraitBar[]): string {
  const drawn = bars.map(({ name, share }, at) => {
    const x = LEFT + at * ROOM;
    const height = Math.min(share / FULL_SHARE, 1) * HIGHEST;
    const middle = px(x + BAR / 2);
    return `<rect class="f${at === 0 ? 2 : at === bars.length - 1 ? 1 : 0}" x="${x}" y="${px(BASE - height)}" width="${BAR}" height="${px(height)}"/><text x="${middle}" y="${px(BASE - height - 4)}" text-anchor="middle" style="font-size:10px">${Math.round(share * 100)}</text><text x="${middle}" y="${BASE + 13}" text-anchor="middle" style="font-size:10px">${escaped(name)}</text>`;
  });
  return picture(title, `${drawn.join('\n')}\n<path class="axis" d="M0 ${BASE}H${WIDTH}"/>`, WIDTH, HEIGHT);
}
