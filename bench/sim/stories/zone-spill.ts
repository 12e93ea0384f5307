/** Story: the endpoints of the own zone fail one after the other, and traffic spills over to the next zone. */
import { steady } from '../model/arrivals.js';
import { lognormal } from '../model/distributions.js';
import { fleetOf, sound } from '../model/endpoints.js';
import { playWith } from '../model/scenario.js';
import { percent } from '../report/table.js';
import { atMost, type Story } from '../story.js';

const OWN = 5;
const STEP_MS = 10_000;
const RATE = 500;
const BALANCES = ['round-robin', 'least-conn'] as const;
/** Envoy's arithmetic: a zone carries 1.4 times its healthy share, at most everything. */
const OVER_PROVISIONING = 1.4;
const MOST_ERROR = 0.02;

export const ZONE_SPILL: Story = {
  name: 'zone-spill',
  title: 'The own zone fails, endpoint by endpoint',
  model: [
    `Two zones of ${OWN} endpoints each; the own one is preferred. Every 10 s one more endpoint of the own zone becomes unhealthy. ${RATE} requests a second at even distances, work lognormal with a median of 20 ms (sigma 0.3), 4 workers, panic off. Published: Envoy's priorities with its over-provisioning factor, 140 % of the healthy share, at most everything.`,
  ],
  steps: BALANCES.length,
  tell(telling) {
    const all = BALANCES.map((balance) => {
      const recording = playWith(
        {
          endpoints: fleetOf(2 * OWN, sound(Infinity)).map((one, at) => ({ ...one, level: at < OWN ? 0 : 1 })),
          arrivals: steady(RATE),
          requests: { work: lognormal(20, 0.3) },
          durationMs: (OWN + 1) * STEP_MS,
          seed: telling.seed,
          happenings: Array.from({ length: OWN }, (_, endpoint) => ({
            atMs: (endpoint + 1) * STEP_MS,
            act: ({ fleet }) => fleet?.control(endpoint, (board, slot) => board.control.setHealthy(slot, false)),
          })),
        },
        { balance, panicShare: 0 },
      );
      telling.step(balance);
      return recording;
    });
    const ownShare = (at: number, recording: (typeof all)[number]) => {
      const attempts = recording.attemptsOn(2 * OWN, at * STEP_MS, (at + 1) * STEP_MS);
      const own = attempts.slice(0, OWN).reduce((sum, count) => sum + count, 0);
      return own / attempts.reduce((sum, count) => sum + count, 0);
    };
    const published = (failed: number) => Math.min(1, (OVER_PROVISIONING * (OWN - failed)) / OWN);
    const steps = Array.from({ length: OWN + 1 }, (_, failed) => failed);
    const error = Math.max(
      ...all.flatMap((recording) => steps.map((failed) => Math.abs(ownShare(failed, recording) - published(failed)))),
    );
    return {
      tables: [
        {
          caption: 'Share of the requests that stay in the own zone:',
          head: [
            'healthy of the own zone',
            'published',
            ...BALANCES.map((balance) => `ours, ${balance}`),
            'difference',
          ],
          rows: steps.map((failed) => [
            `${OWN - failed} of ${OWN}`,
            percent(published(failed)),
            ...all.map((recording) => percent(ownShare(failed, recording))),
            `${((ownShare(failed, all[0]!) - published(failed)) * 100).toFixed(1)} points`,
          ]),
        },
      ],
      charts: [
        {
          name: '',
          kind: 'bars',
          chart: {
            title: 'Share of requests that stay in the own zone',
            xLabel: 'healthy endpoints of the own zone, of 5',
            yLabel: 'share in %',
            groups: steps.map((failed) => String(OWN - failed)),
            series: [
              { name: 'published', values: steps.map((failed) => published(failed) * 100) },
              ...BALANCES.map((balance, index) => ({
                name: balance,
                values: steps.map((failed) => ownShare(failed, all[index]!) * 100),
              })),
            ],
          },
        },
      ],
      targets: [atMost('largest difference from the published share', MOST_ERROR, error, percent)],
      notes: [
        'Which zone a request begins with is drawn; with 5,000 requests a step that alone may be 1.4 points off (two standard deviations).',
      ],
    };
  },
};
