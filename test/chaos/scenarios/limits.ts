/** What is bounded: requests in flight at an endpoint, those that wait, second attempts, and how long a failing endpoint is asked. */
import { none, within } from '../judge.js';
import type { Scenario } from '../scenario.js';
import { CAP } from '../stage-config.js';

const BEFORE_MS = 250;

export const overload: Scenario = {
  name: 'overload',
  title: 'all endpoints get slower than the load, so that requests wait, and are fast again',
  upstream: 'capped',
  async act(scene) {
    await scene.pass(BEFORE_MS);
    // Three caps of 16 carry 48 / 0.04 s = 1,200 requests a second.
    for (const endpoint of scene.endpoints) await endpoint.behave({ latencyMs: 40 });
    scene.mark('slow');
    // Some 500 wait by then: half of what may.
    await scene.passExactly(450);
    for (const endpoint of scene.endpoints) await endpoint.behave({});
    scene.mark('fast again');
    await scene.pass(4 * BEFORE_MS);
    for (const endpoint of scene.endpoints) {
      const peak = await endpoint.peak();
      scene.note(within(`most requests at a time at ${endpoint.name}, which has a cap`, peak, 1, CAP));
    }
  },
  judge({ load }) {
    const others = Object.entries(load.outcomes).filter(([outcome]) => outcome !== '200');
    return [
      none(
        'failures of any method',
        others.map(([outcome, count]) => `${outcome} ${count}`),
      ),
      within('answers that came later than 250 ms: those that waited', load.lateCount, 1, Number.POSITIVE_INFINITY),
    ];
  },
};

/** Of the requests that idempotent methods send to one of three endpoints, one in seven is never answered there. */
const UNANSWERED_SHARE = 0.15;
/** Without hedges it is one in thirty; a busy machine makes some late that are not. */
const MOST_LATE = 0.025;

export const hedging: Scenario = {
  name: 'hedging',
  title: 'an endpoint leaves one request in seven unanswered; a second attempt is made after 30 ms',
  upstream: 'hedged',
  async act(scene) {
    const endpoint = scene.draw();
    await scene.pass(BEFORE_MS);
    await endpoint.behave({ fault: 'never', faultShare: UNANSWERED_SHARE });
    scene.mark('leaves some unanswered', endpoint);
    await scene.pass(4 * BEFORE_MS);
    await endpoint.behave({});
    scene.mark('good again', endpoint);
    await scene.pass(BEFORE_MS);
  },
  judge: ({ load }) => [
    within('answers that came later than 250 ms, of all', load.lateCount / load.sent, 0, MOST_LATE, 3),
  ],
};

/** The breaker looks at 20 requests at least, and probes one at a time. */
const MOST_PASSED_ON = 0.06;

export const breaking: Scenario = {
  name: 'breaking',
  title: 'an endpoint answers with 500, and its breaker opens; nothing is ejected or tried again',
  upstream: 'breaking',
  sparesIdempotent: false,
  async act(scene) {
    const endpoint = scene.draw();
    await scene.pass(BEFORE_MS);
    await endpoint.behave({ errorShare: 1, errorStatus: 500 });
    scene.mark('500', endpoint);
    await scene.pass(4 * BEFORE_MS);
    await endpoint.behave({});
    scene.mark('good again', endpoint);
    await scene.passExactly(1_000);
  },
  judge({ load, executionsOf, mark }) {
    const { endpoint, atMs } = mark('good again');
    const own = executionsOf.get(endpoint?.name ?? '') ?? [];
    const later = own.filter((execution) => execution.atMs >= (atMs + 500) % 2 ** 32).length;
    return [
      within(
        'errors that were passed on, of all answers',
        (load.outcomes['status 500'] ?? 0) / load.sent,
        0,
        MOST_PASSED_ON,
        3,
      ),
      within('executions on it half a second after it was good again', later, 100, Number.POSITIVE_INFINITY),
    ];
  },
};
