/** Keys in a listener of the wrong mode, and a mode that is none: told as what they are, not as typing errors. */
import { describe, expect, it } from 'vitest';
import { l4ListenerSchema } from '../../../../src/config/schema/l4-listener.js';
import { l7ListenerSchema } from '../../../../src/config/schema/l7-listener.js';
import { otherModeProblem } from '../../../../src/config/schema/other-mode.js';
import { type AnySchema, knownKeys, schemaAt } from '../../../../src/config/schema/walk.js';
import { problemsOf, SMALLEST, SMALLEST_L4 } from '../loading.js';

const withL7 = (settings: string) => SMALLEST.replace('name: web,', `name: web, ${settings},`);
const withL4 = (settings: string) => SMALLEST_L4.replace('name: db,', `name: db, ${settings},`);
const told = (text: string) =>
  problemsOf(text).map((problem) => problem.replace(/^sluice\.yaml:3:\d+ listeners\[0\]\./, ''));

type Place = readonly (string | number)[];

/** Places of keys that one schema has and the other has not, the highest only. */
function ownPlaces(own: AnySchema, other: AnySchema, place: Place = []): Place[] {
  const below = schemaAt(own, [...place, 0], null) === null ? place : [...place, 0];
  return knownKeys(own, below, null).flatMap((key) => {
    const path = [...below, key];
    return schemaAt(other, path, null) === null ? [path] : ownPlaces(own, other, path);
  });
}

describe('a key of the other mode', () => {
  it.each([
    ['relay: copy', 'relay belongs to mode l4: the front end moves the bytes of an l7 listener | add mode: l4'],
    ['mode: l7, relay: copy', 'relay belongs to mode l4: the front end moves the bytes of an l7 listener'],
    [
      'timeouts: { sessionIdle: 1s }',
      'timeouts.sessionIdle belongs to mode l4: an l7 listener has exchanges, not sessions | timeouts.keepAlive closes client connections that are idle, or add mode: l4',
    ],
    [
      'limits: { sessionsPerClient: 5 }',
      'limits.sessionsPerClient belongs to mode l4: an l7 listener has exchanges, not sessions | limits.connectionsPerClient bounds client connections, or add mode: l4',
    ],
  ])('is told for an l7 listener with %s', (settings, problem) => {
    expect(told(withL7(settings))).toEqual([problem]);
  });

  it.each([
    ['frontend: uws', 'frontend belongs to mode l7: an l4 listener relays bytes and has no front end'],
    [
      'timeouts: { requestHead: 1s }',
      'timeouts.requestHead belongs to mode l7: an l4 listener has no request heads | timeouts.preface bounds the time for a PROXY header and a ClientHello',
    ],
    [
      'timeouts: { keepAlive: 1m }',
      'timeouts.keepAlive belongs to mode l7: an l4 listener does not see where a request ends | timeouts.sessionIdle bounds silence; keepAlive beside timeouts is that of TCP',
    ],
    [
      'limits: { connections: 9 }',
      'limits.connections belongs to mode l7: each connection of an l4 listener is a session | limits.sessions bounds them',
    ],
    ['limits: { headBytes: 1KiB }', 'limits.headBytes belongs to mode l7: an l4 listener has no request heads'],
  ])('is told for an l4 listener with %s', (settings, problem) => {
    expect(told(withL4(settings))).toEqual([problem]);
  });

  it('is told inside of routes', () => {
    const routes = (text: string, route: string) => text.replace(/upstream: pg|\{ upstream: api \}/, route);
    expect(told(routes(SMALLEST, '{ upstream: api, match: { sni: a.b } }'))).toEqual([
      'routes[0].match.sni belongs to mode l4: an l7 listener sees no ClientHello | match: { host: … } matches the host of requests, or add mode: l4',
    ]);
    expect(
      told(routes(SMALLEST_L4, 'routes: [ { upstream: pg, match: { host: a.b }, timeouts: { exchange: 1s } } ]')),
    ).toEqual([
      'routes[0].match.host belongs to mode l7: an l4 listener sees no requests | match: { sni: … } matches the server name that TLS clients ask for',
      "routes[0].timeouts belongs to mode l7: an l4 listener has no exchanges | the listener's timeouts.sessionIdle bounds silence",
    ]);
  });

  it('is told once where mode: l4 was forgotten, without the routes that are missing then', () => {
    expect(told(SMALLEST_L4.replace('mode: l4, ', ''))).toEqual([
      'upstream belongs to mode l4: an l7 listener has routes | write routes: [ { upstream: … } ], or add mode: l4',
    ]);
  });

  it.each([
    ['l7', l7ListenerSchema, l4ListenerSchema],
    ['l4', l4ListenerSchema, l7ListenerSchema],
  ])('has a reason of its own, for every key that %s alone has', (mode, own, other) => {
    const places = ownPlaces(own, other);
    expect(places.length).toBeGreaterThan(8);
    const values = { listeners: [{ mode: mode === 'l7' ? 'l4' : 'l7' }] };
    const sentences = places.map((place) => otherModeProblem(['listeners', 0, ...place], values, String)?.sentence);
    expect(sentences.filter((sentence) => sentence === undefined || sentence.endsWith('listener has none'))).toEqual(
      [],
    );
  });

  it('is a proposal for a typing error that is near no key of the own mode', () => {
    expect(told(withL7('haflClose: true'))).toEqual([
      'haflClose is not a known setting | halfClose, if that was meant, belongs to mode l4',
    ]);
    expect(told(withL4('limits: { bodyByts: 1KiB }'))).toEqual([
      'limits.bodyByts is not a known setting | bodyBytes, if that was meant, belongs to mode l7',
    ]);
  });

  it('is not looked for outside of listeners', () => {
    expect(otherModeProblem(['upstreams', 'api', 'relay'], {}, String)).toBeNull();
    expect(otherModeProblem(['relay'], {}, String)).toBeNull();
    expect(otherModeProblem(['listeners', 0], { listeners: [{}] }, String)).toBeNull();
  });
});

describe('a mode that is none', () => {
  it.each([
    ['http', ' | did you mean l7?'],
    ['tcp', ' | did you mean l4?'],
    ['stream', ' | did you mean l4?'],
    ['L4', ' | did you mean l4?'],
    ['udp', ''],
  ])('%s is told alone: which settings are right cannot be known', (mode, hint) => {
    expect(told(withL4(`relay: copy, frontend: uws`).replace('mode: l4', `mode: ${mode}`))).toEqual([
      `mode is "${mode}", but must be one of l7 or l4${hint}`,
    ]);
  });

  it('is told beside what is wrong in both modes', () => {
    const text = `
listeners:
  - { name: -db, mode: l5, bind: 5, relay: copy, zzz: 1, upstream: pg }
upstreams:
  pg: { endpoints: [ { address: "10.0.0.1:5432" }, { address: "10.0.0.2:5432" } ] }
`;
    expect(told(text).map((problem) => problem.split(' ')[0])).toEqual(['name', 'mode', 'bind', 'zzz']);
  });

  it.each(['5', '[]', 'null', '"x"'])('is not what is told for a listener that is %s', (listener) => {
    const problems = problemsOf(SMALLEST.replace('- { name: web', `- ${listener}\n  - { name: web`));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/listeners\[0\] is .*, but must be a section/);
  });
});
