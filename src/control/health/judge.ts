/** Turns the results of probes into healthy or unhealthy: a verdict changes only after enough equal results in a row. */

/** Probes in a row that change the verdict; both >= 1. */
export interface JudgeSettings {
  readonly healthyAfter: number;
  readonly unhealthyAfter: number;
}

/** The verdict, and how many results in a row have spoken against it. */
export interface Judgement {
  readonly verdict: 'healthy' | 'unhealthy';
  readonly against: number;
}

/** Endpoints start healthy, as in nginx and Envoy: traffic must not wait for the first probe. */
export const INITIAL_JUDGEMENT: Judgement = { verdict: 'healthy', against: 0 };

/**
 * Folds one probe into the judgement.
 *
 * @param succeeded the probe's result
 * @returns the new judgement; its `verdict` differs from the old one exactly when the state changed
 */
export function judge(judgement: Judgement, succeeded: boolean, settings: JudgeSettings): Judgement {
  const speaksFor = succeeded === (judgement.verdict === 'healthy');
  if (speaksFor) return judgement.against === 0 ? judgement : { verdict: judgement.verdict, against: 0 };
  const against = judgement.against + 1;
  const needed = judgement.verdict === 'healthy' ? settings.unhealthyAfter : settings.healthyAfter;
  if (against < needed) return { verdict: judgement.verdict, against };
  return { verdict: succeeded ? 'healthy' : 'unhealthy', against: 0 };
}
