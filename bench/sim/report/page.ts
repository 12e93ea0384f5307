/** Puts generated parts into a Markdown page, between markers that name them. Pure. */

const nameOf = (name: string) => ({ from: `<!-- simulate: ${name} -->`, to: `<!-- end: ${name} -->` });

/** Names of the parts that a page has markers for, in their order. */
export function partsOf(page: string): string[] {
  return [...page.matchAll(/^<!-- simulate: ([a-z0-9-]+) -->$/gm)].map((match) => match[1] ?? '');
}

/**
 * Replaces what stands between the markers of a part.
 *
 * @throws Error when the page has no such markers, or only one of them
 */
export function withPart(page: string, name: string, text: string): string {
  const { from, to } = nameOf(name);
  const start = page.indexOf(from);
  const end = page.indexOf(to);
  if (start < 0 || end < start)
    throw new Error(`the page lacks the lines "${from}" and "${to}": add them where the figures of ${name} belong`);
  return `${page.slice(0, start + from.length)}\n\n${text.trim()}\n\n${page.slice(end)}`;
}
