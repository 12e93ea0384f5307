/** Story: a fifth endpoint joins four that have been answering for a while. */

import { rampShare, rampStepMs } from '../../../src/control/weights/slow-start.js';
import { poisson } from '../model/arrivals.js';
import { lognormal } from '../model/distributions.js';
import { fleetOf, sound } from '../model/endpoints.js';
import type { Recording } from '../model/recording.js';
import type { Happening } from '../model/scenario.js';
import type { EndpointModel } from '../model/simulated-endpoint.js';
import { percent } from '../report/table.js';
import { atMost, type Story } from '../story.js';
import { contest, latencyTable, plain, shareLines, told } from './contest.js';

const CONTENDERS = plain('round-robin', 'random-two', 'least-conn', 'peak-ewma', 'least-time');
const RAMPED = [{ name: 'round-robin, slow start', picking: { balance: 'round-robin' } }] as const;
const SLOW_START = { windowMs: 10_000, aggression: 1, leastShare: 0.1 };
const JOINS_MS = 10_000;
const DURATION_MS = 40_000;
const JOINER = 4;
const RATE = 400;
const FAIR_SHARE = 1 / 5;
/** Windows of 1 s begin every 100 ms, so that no burst hides between two of them. */
const WINDOW_MS = 1_000;
const WINDOW_STEP_MS = 100;
/** Three standard deviations of the share in a window if each request chose at random: what chance alone may add. */
const NOISE = 3 * Math.sqrt((FAIR_SHARE * (1 - FAIR_SHARE)) / (RATE * (WINDOW_MS / 1_000)));
/** Programs are slower until their code is compiled and their caches are full. */
const WARM_AFTER_MS = 10_000;
const COLD_SLOWNESS = 4;

function warmingUp(): EndpointModel {
  return {
    places: 16,
    conduct: (nowMs) => {
      const cold = Math.max(0, 1 - (nowMs - JOINS_MS) / WARM_AFTER_MS);
      return { kind: 'serves', slowness: 1 + (COLD_SLOWNESS - 1) * cold };
    },
  };
}

function enabling(atMs: number, isEnabled: boolean): Happening {
  return {
    atMs,
    act: ({ fleet }) => fleet?.control(JOINER, (board, slot) => board.control.setEnabled(slot, isEnabled)),
  };
}

/** What the primary writes while the joiner warms up, in its steps. */
function slowStart(): Happening[] {
  const steps = Math.ceil(SLOW_START.windowMs / rampStepMs(SLOW_START));
  return Array.from({ length: steps + 1 }, (_, step) => {
    const elapsedMs = step * rampStepMs(SLOW_START);
    const ramp = rampShare(elapsedMs, SLOW_START);
    return {
      atMs: JOINS_MS + elapsedMs,
      act: ({ fleet }) =>
        fleet?.control(JOINER, (board, slot) => board.control.setShares([{ slot, weightRamp: ramp, capRamp: ramp }])),
    };
  });
}

function highestShare(recording: Recording): number {
  let highest = 0;
  for (let fromMs = JOINS_MS; fromMs + WINDOW_MS <= DURATION_MS; fromMs += WINDOW_STEP_MS)
    highest = Math.max(highest, recording.share(JOINER, fromMs, fromMs + WINDOW_MS));
  return highest;
}

export const COLD_JOINER: Story = {
  name: 'cold-joiner',
  title: 'A cold endpoint joins',
  model: [
    `Four endpoints with 16 places have been answering in 50 ms (median, lognormal, sigma 0.3) for 10 s when a fifth is enabled. It is cold: it takes four times as long at first and becomes as fast as the others within 10 s. ${RATE} requests a second (Poisson), 4 workers. Slow start is off, but for the last line: there it is 10 s, linear from 10 %.`,
    `Its fair share is a fifth. Arrivals are random, so even a fair balancer exceeds it in some window of a second; what chance may add is named: three standard deviations of a random choice, ${percent(NOISE)}. All windows of 1 s are looked at, one every 100 ms.`,
  ],
  steps: CONTENDERS.length + RAMPED.length,
  tell(telling) {
    const scenarioWith = (ramps: readonly Happening[]) => ({
      endpoints: [...fleetOf(4, sound(16)), { model: warmingUp() }],
      arrivals: poisson(RATE),
      requests: { work: lognormal(50, 0.3) },
      durationMs: DURATION_MS,
      seed: telling.seed,
      happenings: [enabling(0, false), ...ramps, enabling(JOINS_MS, true)],
    });
    const all = [
      ...contest(scenarioWith([]), CONTENDERS, telling),
      ...contest(scenarioWith(slowStart()), RAMPED, telling),
    ];
    const firstSeconds = [JOINS_MS, JOINS_MS + 5_000] as const;
    return {
      tables: [
        latencyTable(all, firstSeconds, [
          { head: 'first second', cell: (one) => percent(one.share(JOINER, JOINS_MS, JOINS_MS + 1_000)) },
          { head: 'highest second', cell: (one) => percent(highestShare(one)) },
          { head: 'last 10 s', cell: (one) => percent(one.share(JOINER, DURATION_MS - 10_000, DURATION_MS)) },
        ]),
      ],
      charts: [
        {
          name: '',
          kind: 'lines',
          chart: {
            title: 'Share of a cold endpoint that joins four others',
            xLabel: 'time in s',
            yLabel: 'share of requests in %',
            lines: shareLines(all, JOINER, DURATION_MS),
            marks: [{ x: JOINS_MS / 1_000, text: 'joins' }],
            limit: { y: FAIR_SHARE * 100, text: 'fair share' },
          },
        },
      ],
      targets: ['least-time', 'least-conn'].map((name) =>
        atMost(`highest share in any second, ${name}`, FAIR_SHARE + NOISE, highestShare(told(all, name)), percent),
      ),
      notes: [
        'Latencies are those of the first five seconds after it joined. Slow start is for balancers that do not look: with it, round-robin does what the others do by themselves.',
      ],
    };
  },
};
