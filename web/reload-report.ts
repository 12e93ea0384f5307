/** What a reload came to, in sentences. Pure. */
import { listText } from './format.js';

/** How many of one kind are new, different or gone. */
export interface ChangeCounts {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

/** The answer of POST /api/v1/reload where it worked. */
export interface ReloadAnswer {
  /** The configuration says what it said before. */
  readonly isUnchanged: boolean;
  /** Number of the plan that counts now. */
  readonly epoch: number;
  readonly listeners: ChangeCounts;
  readonly upstreams: ChangeCounts;
  readonly endpoints: ChangeCounts;
  readonly needsRestart: readonly string[];
  readonly warnings: readonly string[];
}

/** What the page says of it. */
export interface ReloadReport {
  readonly sentence: string;
  /** What needs somebody, a line each. */
  readonly notes: readonly string[];
}

/** Reads the answer. */
export function reloadReport(answer: ReloadAnswer): ReloadReport {
  const changes = [
    ...changesOf(answer.listeners, 'listener'),
    ...changesOf(answer.upstreams, 'upstream'),
    ...changesOf(answer.endpoints, 'endpoint'),
  ];
  if (answer.isUnchanged) {
    return {
      sentence: 'The configuration says what it said before: nothing has changed.',
      notes: [...answer.warnings],
    };
  }
  const what = changes.length === 0 ? 'no listener, upstream or endpoint is another than before' : listText(changes);
  return {
    sentence: `The configuration is read, and plan ${answer.epoch} counts: ${what}.`,
    notes: [
      ...answer.needsRestart.map((setting) => `${setting} takes effect with the next start only`),
      ...answer.warnings,
    ],
  };
}

function changesOf({ added, changed, removed }: ChangeCounts, one: string): string[] {
  const counts = [
    [added, 'new'],
    [changed, 'changed'],
    [removed, 'gone'],
  ] as const;
  return counts.flatMap(([count, how]) => (count === 0 ? [] : [`${count} ${one}${count === 1 ? '' : 's'} ${how}`]));
}
