/** The same load through a listener of mode l4: a session that breaks is its client's to know, a new one finds an endpoint that works. */
import { type Finding, none, within } from '../judge.js';
import type { Scenario, SceneOutcome } from '../scenario.js';

const BEFORE_MS = 250;
/** What is on its way when an endpoint goes breaks with it; so much later nothing does. */
const BROKEN_MS = 400;

/** Failures whose requests were sent when all sessions were new. */
function newSessionsWork({ load, mark }: SceneOutcome, name: string): Finding[] {
  const fromMs = mark(name).atMs + BROKEN_MS;
  const late = load.failures.filter(({ sentAtMs }) => sentAtMs > fromMs);
  return [
    none(
      'failures in sessions that began when the endpoint was away',
      late.map(
        ({ method, id, outcome, sentAtMs }) => `${method} ${id} ${outcome} at ${Math.round(sentAtMs - fromMs)} ms`,
      ),
    ),
    within('failures of any kind, of all requests', load.failureCount / load.sent, 0, 0.1, 3),
  ];
}

export const sessionsKilled: Scenario = {
  name: 'sessions-killed',
  title: 'an endpoint of sessions (mode l4) is killed and stays away',
  upstream: 'sessions',
  sparesIdempotent: false,
  async act(scene) {
    const endpoint = scene.draw();
    await scene.pass(BEFORE_MS);
    scene.mark('killed', endpoint);
    await endpoint.kill();
    await scene.passExactly(BROKEN_MS);
    await scene.pass(2 * BEFORE_MS);
    await endpoint.restart();
    scene.mark('back', endpoint);
    await scene.pass(BEFORE_MS);
  },
  judge: (outcome) => newSessionsWork(outcome, 'killed'),
};

export const sessionsBlackHole: Scenario = {
  name: 'sessions-black-hole',
  title: 'sessions are reset, and connects to their endpoint (mode l4) are not answered',
  upstream: 'sessions',
  sparesIdempotent: false,
  async act(scene) {
    const endpoint = scene.draw();
    await scene.pass(BEFORE_MS);
    scene.mark('black-holed', endpoint);
    await endpoint.block();
    await scene.passExactly(BROKEN_MS);
    await scene.pass(2 * BEFORE_MS);
    await endpoint.listen();
    scene.mark('listens again', endpoint);
    await scene.pass(BEFORE_MS);
  },
  judge: (outcome) => newSessionsWork(outcome, 'black-holed'),
};
