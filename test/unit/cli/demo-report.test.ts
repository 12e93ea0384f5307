/** The live line of the demo. */
import { describe, expect, it } from 'vitest';
import { DemoDisplay } from '../../../src/cli/demo-display.js';
import { type DemoLook, demoLine, hasMoved } from '../../../src/cli/demo-report.js';

const look = (atMs: number, swift: number, slow: number): DemoLook => ({
  atMs,
  endpoints: [
    { name: 'swift', requests: swift, inFlight: 3 },
    { name: 'slow', requests: slow, inFlight: 0 },
  ],
});

describe('demoLine', () => {
  it('tells requests a second and the share of each endpoint between two looks', () => {
    expect(demoLine(look(0, 100, 100), look(2_000, 1_000, 200))).toBe(
      '500 requests/s | swift 90 % (3) | slow 10 % (0)',
    );
  });

  it('tells no share where nothing was asked', () => {
    expect(demoLine(look(0, 5, 5), look(1_000, 5, 5))).toBe('0 requests/s | swift - % (3) | slow - % (0)');
    expect(hasMoved(look(0, 5, 5), look(1, 5, 5))).toBe(false);
    expect(hasMoved(look(0, 5, 5), look(1, 5, 6))).toBe(true);
  });
});

describe('demo display', () => {
  const capture = (isTTY: boolean) => {
    const pieces: string[] = [];
    return { pieces, display: new DemoDisplay({ isTTY, write: (text) => pieces.push(text) }) };
  };

  it('writes plain lines without a terminal', () => {
    const { pieces, display } = capture(false);
    display.live('a');
    display.live('b');
    display.close();
    expect(pieces.join('')).toBe('a\nb\n');
  });

  it('cuts the live line before the edge of the terminal', () => {
    const pieces: string[] = [];
    new DemoDisplay({ isTTY: true, columns: 5, write: (text) => pieces.push(text) }).live('abcdefgh');
    expect(pieces.join('')).toBe('\u001b[2K\rabcd');
  });

  it('rewrites one line on a terminal, and puts it back behind what is printed', () => {
    const { pieces, display } = capture(true);
    display.live('a');
    display.print('hello\n');
    display.close();
    display.close();
    expect(pieces.join('')).toBe('\u001b[2K\ra\u001b[2K\rhello\na\n');
  });
});
