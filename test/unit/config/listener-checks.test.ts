/** Listeners against each other, whatever their mode: names and addresses once, routes to upstreams that exist. */
import { describe, expect, it } from 'vitest';
import { configOf, problemsOf, SMALLEST_L4 } from './loading.js';

/** One listener for each text. */
const listeners = (...texts: string[]) =>
  SMALLEST_L4.replace(/ {2}- .*\n/, texts.map((text, index) => `  - { name: a${index}, ${text} }\n`).join(''));
const l4 = (settings: string) => `mode: l4, upstream: pg, ${settings}`;
const l7 = (settings: string) => `routes: [ { upstream: pg } ], ${settings}`;

describe('listeners of both modes', () => {
  it('may stand side by side', () => {
    const config = configOf(
      listeners(l7('bind: ":80"'), l4('bind: ":81"'), l4('bind: "unix:/a"'), l4('bind: "unix:@a"')),
    );
    expect(config.listeners.map(({ mode }) => mode)).toEqual(['l7', 'l4', 'l4', 'l4']);
  });

  it.each([
    [l7('bind: ":80"'), l4('bind: "127.0.0.1:80"'), 'is "127.0.0.1:80", which overlaps with 0.0.0.0:80 of', 'ports'],
    [
      l4('bind: "unix:/run/a"'),
      l4('bind: "unix:/run/./a"'),
      'is "unix:/run/./a", which overlaps with unix:/run/a of',
      'paths',
    ],
    [l4('bind: "unix:@a"'), l4('bind: "unix:@a"'), 'is "unix:@a", which overlaps with unix:@a of', 'paths'],
  ])('may not listen where another one does: %s, %s', (one, other, sentence, what) => {
    const problems = problemsOf(listeners(one, other));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(
      `listeners[1].bind ${sentence} listeners[0].bind, line 3 | listen on different ${what}`,
    );
  });

  it('may not listen where the admin API does', () => {
    expect(problemsOf(listeners(l4('bind: ":9900"')))).toEqual([
      'sluice.yaml:2:1 admin.bind is "127.0.0.1:9900", which overlaps with 0.0.0.0:9900 of listeners[0].bind, line 3 | listen on different ports',
    ]);
  });

  it('may not share a name', () => {
    const text = listeners(l7('bind: ":80"'), l4('bind: ":81"')).replace('a1', 'a0');
    expect(problemsOf(text)).toEqual([
      'sluice.yaml:4:13 listeners[1].name is the name of another listener (listeners[0].name, line 3) | give each listener a name of its own',
    ]);
  });
});

describe('an unknown upstream', () => {
  it('is told for upstream', () => {
    expect(problemsOf(SMALLEST_L4.replace('upstream: pg', 'upstream: pgg'))).toEqual([
      'sluice.yaml:3:61 listeners[0].upstream is "pgg", but there is no upstream of that name | did you mean pg?',
    ]);
  });

  it('is told for routes', () => {
    expect(problemsOf(SMALLEST_L4.replace('upstream: pg', 'routes: [ { upstream: nowhere } ]'))).toEqual([
      'sluice.yaml:3:73 listeners[0].routes[0].upstream is "nowhere", but there is no upstream of that name | the upstreams are pg',
    ]);
  });
});
