/** What a reload has come to, for the log, the admin API and the terminal. Plain data. */

/** Names of what is different, each in the order of its configuration. */
export interface Changes {
  readonly added: readonly string[];
  /** There before and after, with other settings. */
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** A configuration that counts now. */
export interface ReloadReport {
  /** Of the plan that counts now; that of the plan before, where nothing has changed. */
  readonly epoch: number;
  readonly listeners: Changes;
  readonly upstreams: Changes;
  /** Named 'upstream/address'. */
  readonly endpoints: Changes;
  /** Paths of settings that have changed and take effect with the next start only, e.g. 'workers'. */
  readonly needsRestart: readonly string[];
  /** As the log has them: place, path, sentence, hint. */
  readonly warnings: readonly string[];
}

/** What came of the wish to reload. */
export type ReloadOutcome =
  /** `unchanged`: the configuration says what it said before. */
  | { readonly kind: 'reloaded' | 'unchanged'; readonly report: ReloadReport }
  /** Everything goes on as it was. `cannot-open`: the configuration is valid, but an address of it cannot be had. */
  | {
      readonly kind: 'failed';
      readonly error: 'bad-config' | 'cannot-open';
      /** One sentence. */
      readonly message: string;
      /** Every problem with its place, path, sentence and hint; not empty. */
      readonly problems: readonly string[];
    }
  /** It cannot be reloaded now: it is starting or ending, or it was started without a file. */
  | { readonly kind: 'refused'; readonly message: string };

/** Nothing is different. */
export const NO_CHANGES: Changes = { added: [], changed: [], removed: [] };
