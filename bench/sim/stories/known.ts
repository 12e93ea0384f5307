/** All stories, in the order of the page. */
import { BOUNDED_LOADS } from '../published/bounded-loads.js';
import { MAGLEV_EVENNESS } from '../published/maglev-evenness.js';
import { OLD_INFORMATION } from '../published/old-information.js';
import { RANDOM_CHOICES } from '../published/random-choices.js';
import { SUPERMARKET } from '../published/supermarket.js';
import type { Story } from '../story.js';
import { BURST } from './burst.js';
import { COLD_JOINER } from './cold-joiner.js';
import { FAST_FAILURE } from './fast-failure.js';
import { HALF_SPEED } from './half-speed.js';
import { HERDING } from './herding.js';
import { HOT_KEY } from './hot-key.js';
import { PORTRAITS } from './portraits.js';
import { PREDICTIVE } from './predictive.js';
import { RETRY_AFTER } from './retry-after.js';
import { SLOW_REPLICA } from './slow-replica.js';
import { UNEVEN_FLEET } from './uneven-fleet.js';
import { ZONE_SPILL } from './zone-spill.js';

export const STORIES: readonly Story[] = [
  PORTRAITS,
  HALF_SPEED,
  SLOW_REPLICA,
  FAST_FAILURE,
  COLD_JOINER,
  BURST,
  UNEVEN_FLEET,
  RETRY_AFTER,
  ZONE_SPILL,
  HOT_KEY,
  PREDICTIVE,
  HERDING,
  RANDOM_CHOICES,
  SUPERMARKET,
  OLD_INFORMATION,
  BOUNDED_LOADS,
  MAGLEV_EVENNESS,
];
