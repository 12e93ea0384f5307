/** "Did you mean …?": the known name that a mistyped one is nearest to. */

/** Longer words are not compared: nobody mistypes one name into a hundred characters, and the table grows with the square. */
const LONGEST_COMPARED = 64;

/**
 * Optimal string alignment distance (Damerau-Levenshtein without overlapping edits): insertions, deletions, changes and
 * swaps of neighbours that turn one word into the other. Boytsov, "Indexing methods for approximate dictionary searching", 2011.
 */
export function editDistance(from: string, to: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const current = [i];
    for (let j = 1; j <= to.length; j++) {
      const isSame = from[i - 1] === to[j - 1];
      let best = Math.min(at(previous, j) + 1, at(current, j - 1) + 1, at(previous, j - 1) + (isSame ? 0 : 1));
      const isSwap = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (isSwap) best = Math.min(best, at(beforePrevious, j - 2) + 1);
      current.push(best);
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, to.length);
}

/**
 * The known name nearest to `word`, if near enough to be what was meant: at most a third of the letters differ, case and
 * hyphens not counted; or one begins with the other. The first of equally near names wins.
 *
 * @returns null when nothing is near
 */
export function nearestName(word: string, known: readonly string[]): string | null {
  const plain = plainForm(word);
  if (plain === '' || word.length > LONGEST_COMPARED) return null;
  let nearest: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const name of known) {
    const candidate = plainForm(name);
    const distance = editDistance(plain, candidate);
    const allowed = Math.max(1, Math.floor(Math.max(plain.length, candidate.length) / 3));
    if (distance <= allowed && distance < Math.max(plain.length, candidate.length) && distance < least) {
      least = distance;
      nearest = name;
    }
  }
  return nearest ?? nameWithSameStart(plain, known);
}

/** At least three letters in common at the start: `conn` finds `connect`. */
function nameWithSameStart(plain: string, known: readonly string[]): string | null {
  if (plain.length < 3) return null;
  return (
    known.find(
      (name) => plainForm(name).startsWith(plain) || (name.length >= 4 && plain.startsWith(plainForm(name))),
    ) ?? null
  );
}

function plainForm(word: string): string {
  return word.toLowerCase().replace(/[-_ ]/g, '');
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? 0;
}
