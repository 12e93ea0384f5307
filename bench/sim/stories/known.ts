/** All stories, in the order of the page. */
import { HERDING } from '../published/herding.js';
import { OLD_INFORMATION } from '../published/old-information.js';
import { RANDOM_CHOICES } from '../published/random-choices.js';
import { SUPERMARKET } from '../published/supermarket.js';
import type { Story } from '../story.js';
import { BURST } from './burst.js';
import { COLD_JOINER } from './cold-joiner.js';
import { FAST_FAILURE } from './fast-failure.js';
import { HALF_SPEED } from './half-speed.js';
import { SLOW_REPLICA } from './slow-replica.js';
import { UNEVEN_FLEET } from './uneven-fleet.js';

export const STORIES: readonly Story[] = [
  HALF_SPEED,
  SLOW_REPLICA,
  FAST_FAILURE,
  COLD_JOINER,
  BURST,
  UNEVEN_FLEET,
  RANDOM_CHOICES,
  SUPERMARKET,
  OLD_INFORMATION,
  HERDING,
];
