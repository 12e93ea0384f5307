/** Endpoints that come back: one after an absence, little by little; one of three that were all bad, at once. */
import { executionShare, type Finding, within } from '../judge.js';
import type { Scenario, SceneOutcome } from '../scenario.js';
import { MOST_EJECTION_MS, SLOW_START_MS } from '../stage-config.js';

const BEFORE_MS = 300;
const FAIR_SHARE = 1 / 3;
/** What is looked at in the beginning of its return, and behind its end. */
const EARLY_MS = 300;
const LATE_MS = 500;
/** Reading clocks, ending connections, being scheduled: on a busy machine. */
const MARGIN_MS = 300;
/** The promise is "at once". A returning endpoint may have been ejected a moment ago. */
const SERVES_WITHIN_MS = MOST_EJECTION_MS + 400;

export const recovery: Scenario = {
  name: 'recovery',
  title: 'a killed endpoint returns with slow start',
  upstream: 'warming',
  async act(scene) {
    const endpoint = scene.draw();
    await scene.pass(BEFORE_MS);
    scene.mark('killed', endpoint);
    await endpoint.kill();
    await scene.pass(BEFORE_MS);
    await endpoint.restart();
    scene.mark('back', endpoint);
    await scene.passExactly(MOST_EJECTION_MS + SLOW_START_MS + MARGIN_MS + LATE_MS + MARGIN_MS);
  },
  judge({ executionsOf, mark, load }) {
    const { endpoint, atMs } = mark('back');
    const name = endpoint?.name ?? '';
    const since = atMs % 2 ** 32;
    const first = executionsOf.get(name)?.find((execution) => execution.atMs >= since);
    if (first === undefined) return [within('executions after its return', 0, 1, Number.POSITIVE_INFINITY)];
    const returnedAtMs = atMs + (first.atMs - since);
    const endMs = load.startedAtMs + load.durationMs;
    const early = executionShare(executionsOf, name, returnedAtMs, returnedAtMs + EARLY_MS) ?? Number.NaN;
    const late = executionShare(executionsOf, name, endMs - LATE_MS, endMs) ?? Number.NaN;
    return [
      within('from its start to its first request, ms', first.atMs - since, 0, SERVES_WITHIN_MS),
      within('its share in the first 300 ms of its return', early, 0, 0.7 * FAIR_SHARE, 3),
      within('its share in the end', late, FAIR_SHARE - 0.06, FAIR_SHARE + 0.06, 3),
    ];
  },
};

/** How long the first good answer took from the mark on, and which part was good from then on. */
function servesAtOnce({ load, mark }: SceneOutcome): Finding[] {
  const { atMs, endpoint } = mark('good again');
  const bins = load.answeredBy[endpoint?.name ?? ''] ?? [];
  const fromBin = Math.floor((atMs - load.startedAtMs) / load.binMs);
  const firstBin = bins.findIndex((count, bin) => bin >= fromBin && count > 0);
  const tookMs = firstBin < 0 ? Number.POSITIVE_INFINITY : (firstBin - fromBin) * load.binMs;
  return [within('from its recovery to its first good answer, ms', tookMs, 0, SERVES_WITHIN_MS)];
}

/** Nobody is refused without having been tried at an endpoint. */
function nobodyIsRefusedUntried({ load, mark, history }: SceneOutcome): Finding[] {
  const untried = ['SLUICE_NO_ENDPOINT', 'SLUICE_BREAKER_OPEN', 'SLUICE_QUEUE_FULL', 'SLUICE_QUEUE_TIMEOUT'];
  const refused = untried.reduce((sum, code) => sum + (load.outcomes[code] ?? 0), 0);
  const [fromMs, toMs] = [mark('all bad').atMs, mark('good again').atMs];
  const inside = history.samples.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
  const [first, last] = [inside[0], inside.at(-1)];
  if (first === undefined || last === undefined || first === last)
    throw new Error('the proxy was not looked at meanwhile');
  const attempts = last.attempts.reduce((sum, count, index) => sum + count - (first.attempts[index] ?? 0), 0);
  const requests = (load.sent / load.durationMs) * (last.atMs - first.atMs);
  return [
    within('requests that were refused without an attempt', refused, 0, 0),
    within('attempts for each request while all were bad', attempts / requests, 0.9, Number.POSITIVE_INFINITY, 2),
  ];
}

/** With nobody left, what is tried again is bounded by the budget: 20 %, and a floor that counts in a run as short as this. */
const MOST_ATTEMPTS_OF_ALL = 1.35;

export const allErroring: Scenario = {
  name: 'all-erroring',
  title: 'all endpoints answer 503; then one is good again',
  upstream: 'even',
  sparesIdempotent: false,
  mostAttempts: MOST_ATTEMPTS_OF_ALL,
  async act(scene) {
    const endpoint = scene.draw();
    await scene.pass(BEFORE_MS);
    for (const one of scene.endpoints) await one.behave({ errorShare: 1, errorStatus: 503 });
    scene.mark('all bad');
    await scene.pass(2 * BEFORE_MS);
    await endpoint.behave({});
    scene.mark('good again', endpoint);
    await scene.passExactly(SERVES_WITHIN_MS);
  },
  judge: (outcome) => [...nobodyIsRefusedUntried(outcome), ...servesAtOnce(outcome)],
};

export const allRefusing: Scenario = {
  name: 'all-refusing',
  title: 'nobody listens at any endpoint, and health checks know it; then one listens again',
  upstream: 'checked',
  isEssential: true,
  sparesIdempotent: false,
  mostAttempts: MOST_ATTEMPTS_OF_ALL,
  async act(scene) {
    const endpoint = scene.draw();
    await scene.pass(BEFORE_MS);
    for (const one of scene.endpoints) await one.refuse();
    scene.mark('all bad');
    await scene.pass(3 * BEFORE_MS);
    await endpoint.listen();
    scene.mark('good again', endpoint);
    await scene.passExactly(SERVES_WITHIN_MS);
  },
  judge: (outcome) => [...nobodyIsRefusedUntried(outcome), ...servesAtOnce(outcome)],
};
