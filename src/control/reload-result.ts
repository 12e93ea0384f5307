/** What a reload comes to: what the log tells and the admin API answers. Plain data. */

/** Who asked for a reload. */
export type ReloadSource = 'file' | 'signal' | 'api';

/** How many of one kind are new, different or gone. */
export interface ChangeCounts {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

/** A reload is over. */
export type ReloadResult =
  | {
      readonly ok: true;
      /** The configuration says what it said before: nothing was done. */
      readonly isUnchanged: boolean;
      /** Of the plan that counts now. */
      readonly epoch: number;
      readonly listeners: ChangeCounts;
      readonly upstreams: ChangeCounts;
      readonly endpoints: ChangeCounts;
      /** Settings, by their path in the file, that take effect with the next start only. */
      readonly needsRestart: readonly string[];
      /** A line each, as `sluice check` has them. */
      readonly warnings: readonly string[];
    }
  | {
      readonly ok: false;
      /** A line each: place, what was found, what to do. Everything goes on as it was. */
      readonly problems: readonly string[];
    };

/** Reads the configuration again and has it count. Never rejects. Thread: primary. */
export type Reload = (by: ReloadSource) => Promise<ReloadResult>;
