/** Story: what every balancer makes of the same six endpoints, for the small pictures beside the table of all of them. */
import { poisson } from '../model/arrivals.js';
import { lognormal, zipf } from '../model/distributions.js';
import { fleetOf, sound } from '../model/endpoints.js';
import type { ScenarioEndpoint } from '../model/scenario.js';
import { drawPortrait } from '../report/portrait.js';
import { percent } from '../report/table.js';
import type { Story } from '../story.js';
import { contest, latencyTable, plain } from './contest.js';

const CONTENDERS = plain(
  'round-robin',
  'least-conn',
  'least-time',
  'peak-ewma',
  'predictive',
  'random-two',
  'random',
  'first',
  'ip-hash',
  'hash',
  'ketama',
  'maglev',
  'rendezvous',
);
const NAMES = ['x2', 'a', 'b', 'c', 'd', 'slow'];
const SLOW = 5;

function endpoints(): ScenarioEndpoint[] {
  return [
    { model: sound(16), weight: 2, maxConns: 16 },
    ...fleetOf(4, sound(8)).map((one) => ({ ...one, maxConns: 16 })),
    { model: sound(8, 2), maxConns: 16 },
  ];
}

export const PORTRAITS: Story = {
  name: 'portraits',
  title: 'All balancers on the same six endpoints',
  model: [
    "The small pictures and this table: six endpoints with a cap of 16; the first has weight 2 and 16 places, the others 8, and the last, orange, is at half speed, which nobody has told the proxy. Work lognormal with a median of 50 ms (sigma 0.3), 350 requests a second (Poisson), 4 workers; a thousand keys by Zipf's law (exponent 0.8) for those that hash. The bars are per cent of the requests; those above 40 % are cut.",
  ],
  steps: CONTENDERS.length,
  tell(telling) {
    const durationMs = telling.isQuick ? 6_000 : 60_000;
    const during = [3_000, durationMs] as const;
    const all = contest(
      {
        endpoints: endpoints(),
        arrivals: poisson(350),
        requests: { work: lognormal(50, 0.3), key: zipf(1_000, 0.8) },
        durationMs,
        seed: telling.seed,
      },
      CONTENDERS,
      telling,
    );
    const shares = all.map(({ recording }) => NAMES.map((_, endpoint) => recording.share(endpoint, ...during)));
    return {
      tables: [
        latencyTable(all, during, [
          { head: 'share of weight 2', cell: (recording) => percent(recording.share(0, ...during)) },
          { head: 'share of the slow one', cell: (recording) => percent(recording.share(SLOW, ...during)) },
        ]),
      ],
      charts: all.map(({ name }, at) => ({
        name,
        kind: 'drawn' as const,
        svg: drawPortrait(
          `${name}: share of each endpoint in per cent`,
          NAMES.map((endpoint, index) => ({ name: endpoint, share: shares[at]![index]! })),
        ),
      })),
      targets: [],
      notes: [],
    };
  },
};
