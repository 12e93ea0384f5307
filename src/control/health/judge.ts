/** Turns the results of probes into healthy or unhealthy: a verdict changes only after enough equal results in a row. */
import type { HealthCheckPlan } from '../../config/plan.js';

/** Probes in a row that change the verdict; both >= 1. */
export type JudgeSettings = Pick<HealthCheckPlan, 'healthyAfter' | 'unhealthyAfter'>;

/** The verdict, and how many results in a row have spoken against it. `unknown`: there was no probe, and nothing is taken on trust. */
export interface Judgement {
  readonly verdict: 'unknown' | 'healthy' | 'unhealthy';
  readonly against: number;
}

/** What endpoints begin with. `healthy`, as in nginx and Envoy: traffic does not wait for the first probe. */
export function firstJudgement({ initial }: Pick<HealthCheckPlan, 'initial'>): Judgement {
  return { verdict: initial, against: 0 };
}

/**
 * Folds one probe into the judgement. The first one decides alone where nothing was known.
 *
 * @param succeeded the probe's result
 * @returns the new judgement; its `verdict` differs from the old one exactly when the state changed
 */
export function judge(judgement: Judgement, succeeded: boolean, settings: JudgeSettings): Judgement {
  const verdict = succeeded ? 'healthy' : 'unhealthy';
  if (judgement.verdict === 'unknown') return { verdict, against: 0 };
  if (judgement.verdict === verdict) return judgement.against === 0 ? judgement : { verdict, against: 0 };
  const against = judgement.against + 1;
  const needed = verdict === 'unhealthy' ? settings.unhealthyAfter : settings.healthyAfter;
  return against < needed ? { verdict: judgement.verdict, against } : { verdict, against: 0 };
}
