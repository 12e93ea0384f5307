/** What the commands that talk to a running sluice touch besides their arguments. */
import type { TextStream } from '../check.js';
import type { AdminClient } from './admin-client.js';

/** A stream to a terminal, a file or a pipe. */
export type OutStream = TextStream & { readonly columns?: number; readonly rows?: number };

/** What a command is handed. */
export interface TerminalSurroundings {
  readonly client: AdminClient;
  readonly out: OutStream;
  readonly err: TextStream;
  /** Can what was written be rewritten in place, and are there keys? */
  readonly isTerminal: boolean;
  readonly isColoured: boolean;
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Exit codes of these commands. */
export const TerminalExit = {
  OK: 0,
  /** sluice says no, or the command line says something that is not there. */
  REFUSED: 1,
  UNREACHABLE: 2,
} as const;

/** How a command ends. */
export type TerminalExitCode = (typeof TerminalExit)[keyof typeof TerminalExit];
