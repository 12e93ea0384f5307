/** Lets parts of a test wait for facts that other parts change, with a deadline. */

/** Whoever changes something calls `notify`. */
export class Changes {
  readonly #looks = new Set<() => void>();

  notify(): void {
    for (const look of this.#looks) look();
  }

  /** @returns whether the fact held in time */
  until(fact: () => boolean, timeoutMs: number): Promise<boolean> {
    if (fact()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const done = (holds: boolean): void => {
        this.#looks.delete(look);
        clearTimeout(timer);
        resolve(holds);
      };
      const look = (): void => {
        if (fact()) done(true);
      };
      const timer = setTimeout(() => done(false), timeoutMs);
      this.#looks.add(look);
    });
  }
}

/** How a stream of bytes is cut before it is sent: once, `at` a byte, or into pieces of so many bytes. */
export type Cut = { readonly at: number } | { readonly pieceBytes: number };

/**
 * Pieces of one string of a stream.
 *
 * @param offset where in the stream the string begins
 */
export function pieces(bytes: string, offset: number, cut: Cut | undefined): string[] {
  if (cut === undefined || bytes === '') return [bytes];
  if ('at' in cut) {
    const at = cut.at - offset;
    return at > 0 && at < bytes.length ? [bytes.slice(0, at), bytes.slice(at)] : [bytes];
  }
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += cut.pieceBytes) parts.push(bytes.slice(at, at + cut.pieceBytes));
  return parts;
}

/** Between two pieces: long enough that the proxy, on a machine with a free processor, has read the one before. */
export const PIECE_PAUSE_MS = 1;
