/** The module a worker thread starts with: the one place where the life cycle and the data plane meet. Thread: worker. */
import { loadEngine } from '../engine/load-engine.js';
import { startL7DataPlane } from '../l7/data-plane.js';
import { runWorker } from './life-cycle.js';

await runWorker({ makeDataPlane: startL7DataPlane, loadAddon: loadEngine });
