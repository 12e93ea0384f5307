/** Endpoints that answer, but badly: with errors, with what is no HTTP, with half an answer, or with a reset. */
import type { AnswerFault } from '../endpoint-process.js';
import { type Finding, none, within } from '../judge.js';
import type { Scenario, Scene } from '../scenario.js';

const BETWEEN_MS = 250;

/** Faults before anything was passed on: nobody needs to see them. */
const BEFORE_THE_HEAD: readonly AnswerFault[] = [
  'garbage',
  'bad-length',
  'two-lengths',
  'bad-field',
  'half-head',
  'reset',
  'close',
];
/** In long runs a part of the answers only, so that an endpoint is not ejected at once. */
const FAULT_SHARES = [1, 0.2, 0.02];

function shareOfFaults({ rng, isShort }: Scene): number {
  return isShort ? 1 : (FAULT_SHARES[rng.below(FAULT_SHARES.length)] ?? 1);
}

export const wrongHttp: Scenario = {
  name: 'wrong-http',
  title: `an endpoint answers with what is no HTTP, or resets: ${BEFORE_THE_HEAD.join(', ')}`,
  upstream: 'even',
  async act(scene) {
    const endpoint = scene.draw();
    // One fault after the other, beginning with another one each time.
    const first = scene.rng.below(BEFORE_THE_HEAD.length);
    for (let turn = 0; turn < BEFORE_THE_HEAD.length; turn++) {
      const fault = BEFORE_THE_HEAD[(first + turn) % BEFORE_THE_HEAD.length] ?? 'garbage';
      await scene.pass(BETWEEN_MS / 2);
      scene.mark(fault, endpoint);
      await endpoint.behave({ fault, faultShare: shareOfFaults(scene) });
      await scene.pass(BETWEEN_MS / 2);
      await endpoint.behave({});
    }
  },
};

export const cutAnswers: Scenario = {
  name: 'cut-answers',
  title: 'an endpoint breaks off inside its answers, or sends too much',
  upstream: 'even',
  // The client has a part of the answer by then.
  sparesIdempotent: false,
  async act(scene) {
    const endpoint = scene.draw();
    for (const fault of ['truncated', 'bad-chunk', 'surplus'] as const) {
      await scene.pass(BETWEEN_MS);
      scene.mark(fault, endpoint);
      await endpoint.behave({ fault, faultShare: shareOfFaults(scene) });
      await scene.pass(BETWEEN_MS);
      await endpoint.behave({});
    }
  },
  judge({ load }) {
    const others = load.failures.filter(({ outcome }) => !['cut', 'closed', 'SLUICE_BAD_RESPONSE'].includes(outcome));
    return [
      none(
        'failures that a client could not tell from a whole answer, or that have another reason',
        others.map(({ method, id, outcome }) => `${method} ${id} ${outcome}`),
      ),
    ];
  },
};

/** Endpoints' own errors, by status and share. */
const ERRORS = [
  { errorStatus: 503, errorShare: 1 },
  { errorStatus: 502, errorShare: 0.5 },
  { errorStatus: 500, errorShare: 0.3 },
] as const;

export const erroring: Scenario = {
  name: 'erroring',
  title: 'an endpoint answers with 500, 502 or 503, which are tried elsewhere',
  upstream: 'asking',
  async act(scene) {
    const endpoint = scene.draw();
    const error = ERRORS[scene.isShort ? 0 : scene.rng.below(ERRORS.length)] ?? ERRORS[0];
    await scene.pass(BETWEEN_MS);
    scene.mark(`${error.errorStatus} for ${100 * error.errorShare} %`, endpoint);
    await endpoint.behave(error);
    await scene.pass(3 * BETWEEN_MS);
    await endpoint.behave({});
    scene.mark('good again', endpoint);
    await scene.pass(BETWEEN_MS);
  },
};

/** While it is ejected nobody meets its errors; before, five in a row are needed, and on each return one. */
const MOST_PASSED_ON = 0.03;

export const erroringUnasked: Scenario = {
  name: 'erroring-unasked',
  title: 'an endpoint answers with 503, which is passed on, until it is ejected for that',
  upstream: 'even',
  sparesIdempotent: false,
  async act(scene) {
    const endpoint = scene.draw();
    await scene.pass(BETWEEN_MS);
    scene.mark('503', endpoint);
    await endpoint.behave({ errorShare: 1, errorStatus: 503 });
    await scene.pass(3 * BETWEEN_MS);
    await endpoint.behave({});
    await scene.pass(BETWEEN_MS);
  },
  judge({ load }): readonly Finding[] {
    const own = load.outcomes['status 503'] ?? 0;
    return [
      within('errors that were passed on, of all answers', own / load.sent, 0, MOST_PASSED_ON, 3),
      none(
        'other failures',
        Object.entries(load.outcomes)
          .filter(([outcome]) => outcome !== '200' && outcome !== 'status 503')
          .map(([outcome, count]) => `${outcome} ${count}`),
      ),
    ];
  },
};
