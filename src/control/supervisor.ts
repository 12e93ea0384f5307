/** Starts the workers, watches them, restarts crashed ones with back-off, drains them: a thin shell around worker-life.ts. */
import { openGate } from '../board/one-shot-gate.js';
import type { Clock } from '../core/clock.js';
import type { Tick } from '../core/tick.js';
import type { Cancel, Timers } from '../core/timers.js';
import type { Logger } from '../observability/logger.js';
import { NO_STATS, type PlanChange, type WorkerStats } from '../worker/data-plane.js';
import type { ExplainRequest, Explanation } from '../worker/explaining.js';
import type { FromWorker, ToWorker } from '../worker/messages.js';
import type { ChallengeTokens } from './acme/challenge-tokens.js';
import type { ConnectionHandOff } from './connection-hand-off.js';
import { HeartbeatWatch } from './heartbeat-watch.js';
import { StartFailure } from './start-failure.js';
import { type Applied, WorkerAnswers } from './worker-answers.js';
import {
  firstLife,
  hasCrashLooped,
  isHopeless,
  isInCrashLoop,
  type LifeState,
  nextDeadlineAt,
  type SupervisionSettings,
  transition,
  type WorkerEffect,
  type WorkerEvent,
  type WorkerLife,
} from './worker-life.js';
import type { SpawnWorker, WorkerThread } from './worker-thread.js';

/** A deadline that is looked at later than this was missed by the primary, not by the worker. */
const LATE_MS = 100;
/** Time to hear then what workers have said meanwhile. */
const HEAR_FIRST_MS = 20;

/** Pause before the board is asked again to take back what a dead worker held, if an endpoint was too busy to tell. */
const RECLAIM_AGAIN_MS = 10;

/** What the supervisor asks of the board. */
export interface WorkerStripes {
  /**
   * Takes back what a worker held whose thread is gone; always before the next one starts.
   * @returns false when that must be tried again a few ms later
   */
  reclaim(workerIndex: number): boolean;
  /** Makes the stripe ready for the next thread, after `reclaim` returned true. */
  resetStripe(workerIndex: number): void;
  /** When the worker last wrote its heartbeat; NEVER: not yet. */
  stripe(workerIndex: number): { life(): { readonly heartbeatAt: Tick } };
}

/** What the supervisor needs from outside. */
export interface SupervisorOptions {
  readonly workers: number;
  readonly spawn: SpawnWorker;
  readonly stripes: WorkerStripes;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly settings: SupervisionSettings;
  /** Is a worker that is stuck for long ended? false where that may end the whole process. */
  readonly endsStuck: () => boolean;
  readonly logger: Logger;
  /** Absent: the workers accept for themselves. */
  readonly handOff?: ConnectionHandOff | undefined;
  /** Waits for workers that have to know a challenge of ACME. */
  readonly challenges?: Pick<ChallengeTokens, 'heard' | 'gone'>;
  /** Where lines logged by workers go, as they are. */
  readonly writeLine: (line: string) => void;
  /** Called once, when every worker accepts for the first time. */
  readonly onReady: () => void;
  /** Called once, when going on is pointless: a start that failed, or a crash loop. */
  readonly onFailed: (failure: StartFailure) => void;
  /** Called once, when every thread is gone after `drain`. */
  readonly onEnded: () => void;
}

/** One worker for the admin API. */
export interface WorkerStatus {
  readonly index: number;
  readonly state: LifeState['kind'] | 'crash-loop';
  readonly restarts: number;
  /** As last reported, at most about a second old. */
  readonly stats: WorkerStats;
}

interface SupervisedWorker {
  readonly index: number;
  life: WorkerLife;
  thread: WorkerThread | null;
  stats: WorkerStats;
  /** false: its last thread is gone and the board still has something of it. */
  isReclaimed: boolean;
}

/** All methods: thread primary. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #workers: SupervisedWorker[] = [];
  readonly #heartbeats: HeartbeatWatch;
  readonly #answers: WorkerAnswers;
  #cancelDeadline: Cancel = () => {};
  #phase: 'starting' | 'ready' | 'draining' | 'over' = 'starting';
  #wasReady = false;
  #gone: () => void = () => {};
  readonly #allGone = new Promise<void>((resolve) => {
    this.#gone = resolve;
  });

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#answers = new WorkerAnswers(options.timers);
    const { workers, stripes, clock, timers, logger } = options;
    const workerAt = (index: number): SupervisedWorker | undefined => this.#workers[index];
    const end = (index: number): void => {
      const worker = workerAt(index);
      if (worker !== undefined) this.#carryOut(worker, 'terminate');
    };
    this.#heartbeats = new HeartbeatWatch({
      workers,
      beatAt: (index) => stripes.stripe(index).life().heartbeatAt,
      isServing: (index) => workerAt(index)?.life.state.kind === 'serving',
      end,
      mayEnd: options.endsStuck,
      clock,
      timers,
      logger,
    });
  }

  /** Starts every worker. Call once. */
  start(): void {
    const { workers, clock, settings } = this.#options;
    for (let index = 0; index < workers; index++) {
      const life = firstLife(clock.nowMs(), settings);
      const worker: SupervisedWorker = {
        index,
        life,
        thread: null,
        stats: NO_STATS,
        isReclaimed: true,
      };
      this.#workers.push(worker);
      this.#spawn(worker);
    }
    this.#schedule();
    this.#heartbeats.start();
  }

  /** Sends a message to every worker that has a thread; a worker started later gets the news with its seed. @returns to whom */
  broadcast(message: ToWorker): readonly number[] {
    for (const { thread } of this.#workers) thread?.post(message);
    return this.#workers.filter(({ thread }) => thread !== null).map(({ index }) => index);
  }

  /**
   * Has every worker go by another plan. A worker that is started from now on must get it with its seed.
   *
   * @returns resolves when all of them do, or are gone
   */
  publish(change: PlanChange): Promise<Applied> {
    return this.#answers.applied(change.plan.epoch, this.broadcast({ kind: 'plan', change }));
  }

  /** Asks one worker after the other where a request would go. @returns null: no listener fits; undefined: no worker has answered */
  async explain(request: ExplainRequest): Promise<Explanation | null | undefined> {
    for (const worker of this.#workers) {
      const { index, life, thread } = worker;
      if (life.state.kind !== 'serving' || thread === null) continue;
      const explanation = await this.#answers.explanation(index, request, (message) => thread.post(message));
      if (explanation !== undefined) return explanation;
    }
    return undefined;
  }

  /** Lets every worker finish what is in flight and end; `onEnded` follows. Idempotent. */
  drain(): void {
    if (this.#phase === 'draining' || this.#phase === 'over') return;
    this.#phase = 'draining';
    this.#options.handOff?.stop();
    for (const worker of this.#workers) this.#step(worker, { kind: 'drain' });
    this.#endIfAllEnded();
  }

  /** Ends every thread; no callback follows. Idempotent. @returns resolves when all are gone */
  terminate(): Promise<void> {
    this.#phase = 'over';
    this.#cancelDeadline();
    this.#heartbeats.close();
    this.#options.handOff?.stop();
    for (const { index, thread } of this.#workers) {
      this.#options.handOff?.remove(index);
      thread?.terminate();
    }
    this.#goneIfAllGone();
    return this.#allGone;
  }

  status(): WorkerStatus[] {
    return this.#workers.map(({ index, life, stats }) => ({
      index,
      state: isInCrashLoop(life, this.#options.settings) ? 'crash-loop' : life.state.kind,
      restarts: life.restarts,
      stats,
    }));
  }

  #step(worker: SupervisedWorker, event: WorkerEvent): void {
    const { clock, settings } = this.#options;
    const { life, effects } = transition(worker.life, event, clock.nowMs(), settings);
    worker.life = life;
    for (const effect of effects) this.#carryOut(worker, effect);
  }

  #carryOut(worker: SupervisedWorker, effect: WorkerEffect): void {
    switch (effect) {
      case 'reclaim':
        worker.isReclaimed = this.#options.stripes.reclaim(worker.index);
        return;
      case 'spawn':
        this.#options.stripes.resetStripe(worker.index);
        this.#options.logger.info(
          { event: 'worker-restarting', worker: worker.index, restarts: worker.life.restarts },
          `worker ${worker.index} is being restarted`,
        );
        this.#spawn(worker);
        return;
      case 'send-drain':
        worker.thread?.post({ kind: 'drain' });
        return;
      case 'terminate':
        this.#options.handOff?.remove(worker.index);
        worker.thread?.terminate();
        return;
    }
  }

  #spawn(worker: SupervisedWorker): void {
    worker.thread = this.#options.spawn(worker.index, {
      message: (message) => this.#heard(worker, message),
      failed: (error) => {
        this.#options.logger.error(
          { event: 'worker-error', worker: worker.index, err: error },
          `worker ${worker.index} crashed: ${error instanceof Error ? error.message : String(error)}`,
        );
      },
      exited: (exitCode) => this.#exited(worker, exitCode),
    });
  }

  #heard(worker: SupervisedWorker, message: FromWorker): void {
    switch (message.kind) {
      case 'log':
        this.#options.writeLine(message.line);
        return;
      case 'stats':
        worker.stats = message.stats;
        return;
      case 'applied':
        this.#options.handOff?.add(worker.index, message.handOffPlaces);
        this.#answers.heardApplied(worker.index, message.epoch, message.failure);
        return;
      case 'explained':
        this.#answers.heardExplained(message.id, message.explanation);
        return;
      case 'challenge-set':
        this.#options.challenges?.heard(worker.index, message.id);
        return;
      case 'leaving':
        this.#options.handOff?.remove(worker.index);
        openGate(message.gate);
        return;
      case 'accepts':
        this.#options.handOff?.add(worker.index, message.handOffPlaces);
        this.#step(worker, { kind: 'accepts' });
        if (worker.life.restarts > 0) {
          this.#options.logger.info(
            { event: 'worker-serving', worker: worker.index },
            `worker ${worker.index} serves again`,
          );
        }
        this.#schedule();
        this.#readyIfAllServe();
        return;
      case 'start-failed':
        // Before the first readiness the cause is the same for every worker and the operator can mend it: say it once, end.
        if (this.#wasReady) {
          const { code } = message;
          this.#options.logger.error(
            { event: 'worker-error', worker: worker.index, code },
            `worker ${worker.index} could not start: ${message.message}`,
          );
        } else {
          this.#fail(new StartFailure(message.code, message.message));
        }
        return;
    }
  }

  #exited(worker: SupervisedWorker, exitCode: number): void {
    worker.thread = null;
    worker.stats = NO_STATS;
    this.#answers.gone(worker.index);
    this.#options.challenges?.gone(worker.index);
    // A thread that was ended by force, or could not say that it leaves: what was handed to it and not looked at goes to others.
    this.#options.handOff?.remove(worker.index);
    if (this.#phase === 'over') {
      this.#goneIfAllGone();
      return;
    }
    const { logger, settings } = this.#options;
    const was = worker.life.state.kind;
    const hadCrashLooped = hasCrashLooped(worker.life, settings);
    this.#step(worker, { kind: 'exited' });
    const { state } = worker.life;
    if (state.kind === 'waiting') {
      const pauseMs = Math.max(0, Math.round(state.restartAt - this.#options.clock.nowMs()));
      const facts = { worker: worker.index, exitCode, pauseMs };
      const when = was === 'starting' ? 'before it accepted' : 'while it served';
      logger.error(
        { event: 'worker-exited', ...facts },
        `worker ${worker.index} ended ${when}; it is restarted in ${pauseMs} ms`,
      );
      this.#reportCrashLoop(worker, hadCrashLooped);
    }
    if (this.#phase === 'draining') this.#endIfAllEnded();
    else this.#schedule();
  }

  #reportCrashLoop(worker: SupervisedWorker, hadCrashLooped: boolean): void {
    const { logger, settings } = this.#options;
    if (!isInCrashLoop(worker.life, settings)) return;
    const crashes = worker.life.earlyCrashes;
    const lives = this.#workers.map(({ life }) => life);
    if (isHopeless(lives, this.#wasReady, settings)) {
      this.#fail(
        new StartFailure(
          'SLUICE_WORKER_CRASH_LOOP',
          `worker ${worker.index} crashed ${crashes} times in a row right after its start: the errors above say why; sluice ends`,
        ),
      );
    } else if (!hadCrashLooped) {
      logger.error(
        { event: 'worker-crash-loop', code: 'SLUICE_WORKER_CRASH_LOOP', worker: worker.index, crashes },
        `worker ${worker.index} crashed ${crashes} times in a row right after its start: the others serve on, it is tried again every ${settings.maxBackoffMs / 1000} s at the most`,
      );
    }
  }

  #readyIfAllServe(): void {
    if (this.#phase !== 'starting' || !this.#workers.every(({ life }) => life.state.kind === 'serving')) return;
    this.#phase = 'ready';
    this.#wasReady = true;
    this.#options.onReady();
  }

  #fail(failure: StartFailure): void {
    if (this.#phase === 'over') return;
    void this.terminate();
    this.#options.onFailed(failure);
  }

  #goneIfAllGone(): void {
    if (this.#workers.every(({ thread }) => thread === null)) this.#gone();
  }

  #endIfAllEnded(): void {
    if (this.#phase !== 'draining' || !this.#workers.every(({ life }) => life.state.kind === 'ended')) return;
    void this.terminate();
    this.#options.onEnded();
  }

  /** Wakes up at the earliest deadline of any worker. */
  #schedule(): void {
    this.#cancelDeadline();
    if (this.#phase === 'over' || this.#phase === 'draining') return;
    const dueAt = Math.min(...this.#workers.map(({ life }) => nextDeadlineAt(life)));
    if (dueAt === Number.POSITIVE_INFINITY) return;
    const isReclaiming = this.#workers.some((worker) => !worker.isReclaimed);
    const leastMs = isReclaiming ? RECLAIM_AGAIN_MS : 0;
    const waitMs = Math.max(leastMs, Math.ceil(dueAt - this.#options.clock.nowMs()));
    const lookAt = this.#options.clock.nowMs() + waitMs;
    this.#cancelDeadline = this.#options.timers.after(waitMs, () => {
      // The primary was blocked: what workers have said before the deadline, that they accept for one, is still to be heard.
      const isLate = this.#options.clock.nowMs() > lookAt + LATE_MS;
      if (isLate) this.#cancelDeadline = this.#options.timers.after(HEAR_FIRST_MS, () => this.#meetDeadlines());
      else this.#meetDeadlines();
    });
  }

  #meetDeadlines(): void {
    for (const worker of this.#workers) {
      // A new thread on a stripe that still counts for the old one would make the counts wrong for good: it waits.
      if (!worker.isReclaimed) worker.isReclaimed = this.#options.stripes.reclaim(worker.index);
      if (worker.isReclaimed) this.#step(worker, { kind: 'time' });
    }
    this.#schedule();
  }
}
