/** The timers of the primary's parts: those of every thread (src/core/timers.ts). */
export { type Cancel, systemTimers, type Timers } from '../core/timers.js';
