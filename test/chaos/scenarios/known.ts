/** All chaos scenarios, in the order in which short runs play them. */
import type { Scenario } from '../scenario.js';
import { cutAnswers, erroring, erroringUnasked, wrongHttp } from './answers.js';
import { drain, kill, killInTurn, rollingRestart } from './endings.js';
import { breaking, hedging, overload } from './limits.js';
import { delay, halfOpen, linkReset, loss, partition } from './links.js';
import { allErroring, allRefusing, recovery } from './returns.js';
import { sessionsBlackHole, sessionsKilled } from './sessions.js';
import { blackHole, flapping, refusing, silent, slow, stall } from './silences.js';

export const SCENARIOS: readonly Scenario[] = [
  kill,
  killInTurn,
  rollingRestart,
  drain,
  stall,
  slow,
  silent,
  blackHole,
  refusing,
  flapping,
  wrongHttp,
  cutAnswers,
  erroring,
  erroringUnasked,
  recovery,
  allErroring,
  allRefusing,
  overload,
  hedging,
  breaking,
  sessionsKilled,
  sessionsBlackHole,
  partition,
  halfOpen,
  loss,
  delay,
  linkReset,
];
