/** Which balancers there are: one line for each algorithm. */
import type { BalancerName } from '../config/picking-plan.js';
import { invariant } from '../core/invariant.js';
import type { Balancer } from './balancer.js';
import { first } from './first.js';
import { hash } from './hash.js';
import { ipHash } from './ip-hash.js';
import { ketama } from './ketama.js';
import { leastConn } from './least-conn.js';
import { leastTime } from './least-time.js';
import { maglev } from './maglev.js';
import { peakEwma } from './peak-ewma.js';
import { predictive } from './predictive.js';
import { random } from './random.js';
import { randomTwo } from './random-two.js';
import { rendezvous } from './rendezvous.js';
import { roundRobin } from './round-robin.js';

const BALANCERS: Readonly<Record<BalancerName, () => Balancer>> = {
  'round-robin': roundRobin,
  'least-conn': leastConn,
  'least-time': leastTime,
  'peak-ewma': peakEwma,
  'random-two': randomTwo,
  random,
  first,
  'ip-hash': ipHash,
  hash,
  ketama,
  maglev,
  rendezvous,
  predictive,
};

/** Every balancer that there is. */
export const BALANCER_NAMES = Object.keys(BALANCERS) as readonly BalancerName[]; // the keys of that record

/** Makes the balancer of that name for one upstream in one worker. */
export function balancerFor(name: BalancerName): Balancer {
  const make = BALANCERS[name];
  invariant(make, `the balancer ${name} is registered`);
  return make();
}
