/** The module a worker thread starts with: the one place where the life cycle and the data planes meet. Thread: worker. */
import { loadEngine } from '../engine/load-engine.js';
import { startL4DataPlane } from '../l4/data-plane.js';
import { startL7DataPlane } from '../l7/data-plane.js';
import { dataPlanesOf } from './data-planes.js';
import { runWorker } from './life-cycle.js';

await runWorker({ makeDataPlane: dataPlanesOf({ l7: startL7DataPlane, l4: startL4DataPlane }), loadAddon: loadEngine });
