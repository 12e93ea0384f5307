/** All chaos scenarios, in the order in which short runs play them. */
import type { Scenario } from '../scenario.js';
import { cutAnswers, erroring, erroringUnasked, wrongHttp } from './answers.js';
import { drain, kill, killInTurn, rollingRestart } from './endings.js';
import { delay, halfOpen, linkReset, loss, partition } from './links.js';
import { allErroring, allRefusing, recovery } from './returns.js';
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
  partition,
  halfOpen,
  loss,
  delay,
  linkReset,
];
