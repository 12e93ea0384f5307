/** Groups of the board that hold who waits for a place at an endpoint, over all workers. */
import { group } from './layout-group.js';

/** As PRIORITIES in src/config/resilience-plan.ts, which the board does not know. */
export const LINES = 8;
/** Endpoints that an entry can say it has tried. */
export const TRIED_WORDS = 4;
/** Data planes of a worker, each with a bell of its own. */
export const PLANES = 2;

/** The queue of one upstream, by QueuePlan.record, see wait-queue.ts. Entries are numbered over the whole board, and 0 stands for none: N is entry N - 1. */
export const UpstreamQueue = group({ writer: 'every worker', per: 'queue', word: 'int32', spacing: 'line' }, [
  /** 0: free; else the index of the worker that holds it, plus 1; the primary's is that of one worker more. */
  'lock',
  /** Entries in line, called ones included; the only word that is read without the lock. */
  'waiting',
  /** Of them, those that were called and have not answered yet. */
  'called',
  /** Of them, those that not every place is for: they have tried an endpoint, or may have a subset only. */
  'choosy',
  /** Number of the next that joins; wraps. */
  'sequence',
  /** Entries taken away from their waiters, for better priorities or with a dead worker; wraps. */
  'displacements',
  /** Times that the primary has asked to look for free places; wraps. */
  'looks',
  /** First entry of the upstream; written with the first that joins. */
  'firstEntry',
  /** Entries that have been in use, from the first on. */
  'used',
  /** First entry of the list of those that were in use and are free. */
  'free',
  /** Oldest and newest of each priority. */
  ['oldest', LINES],
  ['newest', LINES],
]);

/** One that waits; guarded by the lock of its upstream's queue. Side by side, as whoever walks the line reads many. */
export const QueueEntry = group({ writer: 'lock holder', per: 'queue entry', word: 'int32', spacing: 'packed' }, [
  /** FREE, WAITING or CALLED, see wait-line.ts. */
  'state',
  /** Whose it is: worker x PLANES + data plane. */
  'owner',
  /** UpstreamQueue.sequence when it joined: tells apart who has had the same entry. */
  'sequence',
  'priority',
  /** Which subset of the upstream it may have, by SubsetPlan.turn; -1: the whole upstream. */
  'subset',
  /** CALLED: the slot of the endpoint whose place it was called for. */
  'place',
  /** As UpstreamQueue numbers them. */
  'newer',
  'older',
  /** Endpoints that it cannot use, by their slot plus 1; 0: none. */
  ['tried', TRIED_WORDS],
]);

/** Bells of the data planes of a worker, see bell.ts. */
export const Bells = group({ writer: 'every worker', per: 'worker', word: 'int32', spacing: 'line' }, [
  /** Times that each was rung; wraps. */
  ['rings', PLANES],
]);
