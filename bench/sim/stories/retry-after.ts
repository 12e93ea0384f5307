/** Story: an endpoint is at its limit, says so with 503 and says when to come back. */
import { poisson } from '../model/arrivals.js';
import { lognormal } from '../model/distributions.js';
import { changing, fleetOf, sound } from '../model/endpoints.js';
import { percent } from '../report/table.js';
import { atMost, type Story } from '../story.js';
import { contest, failedShare, plain, shareLines, told } from './contest.js';

const CONTENDERS = plain('round-robin', 'least-conn', 'least-time');
const LIMITED_FROM_MS = 10_000;
const LIMITED_UNTIL_MS = 30_000;
const DURATION_MS = 45_000;
const RETRY_AFTER_MS = 5_000;
const MOST_FAILED = 0.01;

export const RETRY_AFTER: Story = {
  name: 'retry-after',
  title: 'Retry-After',
  model: [
    'Four endpoints without a queue, work lognormal with a median of 50 ms (sigma 0.3), 200 requests a second (Poisson), 4 workers. From 10 s to 30 s one endpoint answers 503 after 2 ms: once with `Retry-After: 5`, once without.',
  ],
  steps: 2 * CONTENDERS.length,
  tell(telling) {
    const tellAll = (retryAfterMs: number) => {
      const limited = changing(
        Infinity,
        LIMITED_FROM_MS,
        { kind: 'answers', status: 503, afterMs: 2, retryAfterMs },
        LIMITED_UNTIL_MS,
      );
      return contest(
        {
          endpoints: [{ model: limited }, ...fleetOf(3, sound(Infinity))],
          arrivals: poisson(200),
          requests: { work: lognormal(50, 0.3) },
          durationMs: DURATION_MS,
          seed: telling.seed,
        },
        CONTENDERS,
        telling,
      );
    };
    const without = tellAll(0);
    const asked = tellAll(RETRY_AFTER_MS);
    const during = [LIMITED_FROM_MS, LIMITED_UNTIL_MS] as const;
    return {
      tables: [
        {
          head: [
            'balancer',
            'failed without the header',
            'failed with it',
            'share without the header',
            'share with it',
            'share 10 s after the end',
          ],
          rows: CONTENDERS.map(({ name }) => [
            name,
            percent(failedShare(told(without, name), ...during)),
            percent(failedShare(told(asked, name), ...during)),
            percent(told(without, name).share(0, ...during)),
            percent(told(asked, name).share(0, ...during)),
            percent(told(asked, name).share(0, LIMITED_UNTIL_MS + 10_000, DURATION_MS)),
          ]),
        },
      ],
      charts: [
        {
          name: '',
          kind: 'lines',
          chart: {
            title: 'Share of an endpoint that answers 503 with Retry-After: 5',
            xLabel: 'time in s',
            yLabel: 'share of requests in %',
            lines: shareLines(asked, 0, DURATION_MS, 500),
            marks: [
              { x: LIMITED_FROM_MS / 1_000, text: '503' },
              { x: LIMITED_UNTIL_MS / 1_000, text: '200 again' },
            ],
          },
        },
      ],
      targets: CONTENDERS.map(({ name }) =>
        atMost(`requests that failed, ${name}`, MOST_FAILED, failedShare(told(asked, name), ...during), percent),
      ),
      notes: [
        'The endpoint is left alone by all workers until its time is over, then asked again: each time a few requests that are on their way meet the 503.',
      ],
    };
  },
};
