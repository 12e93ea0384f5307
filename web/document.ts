/** Makes and changes parts of the page. Text is always text: nothing that sluice tells is read as markup. */

const SVG = 'http://www.w3.org/2000/svg';

/** What an element is given; `class` and anything else are attributes, undefined ones are left out. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** Makes an HTML element with attributes and children. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) setAttribute(made, key, value);
  made.append(...children);
  return made;
}

/** Changes an attribute only where it differs; true: there without a value; false and undefined: not there. */
export function setAttribute(target: Element, name: string, value: string | number | boolean | undefined): void {
  if (value === undefined || value === false) {
    if (target.hasAttribute(name)) target.removeAttribute(name);
    return;
  }
  const text = value === true ? '' : String(value);
  if (target.getAttribute(name) !== text) target.setAttribute(name, text);
}

/** Changes the text of an element that holds nothing else, only where it differs: what stays costs neither layout nor paint. */
export function setText(target: Element, text: string): void {
  const only = target.firstChild;
  if (only instanceof Text && only.nextSibling === null) {
    if (only.data !== text) only.data = text;
  } else {
    target.textContent = text;
  }
}

/** Shows or hides. */
export function setShown(target: HTMLElement, isShown: boolean): void {
  if (target.hidden === isShown) target.hidden = !isShown;
}

/** Makes the children of an element these, in this order, and moves only what is not in its place. */
export function setChildren(parent: Element, children: readonly Node[]): void {
  children.forEach((child, index) => {
    const there = parent.childNodes[index];
    if (there !== child) parent.insertBefore(child, there ?? null);
  });
  while (parent.childNodes.length > children.length) parent.lastChild?.remove();
}

/** A shape beside a word that says the same: hidden from screen readers. */
export function shape(path: string): SVGSVGElement {
  const made = document.createElementNS(SVG, 'svg');
  const drawn = document.createElementNS(SVG, 'path');
  for (const [name, value] of Object.entries({ viewBox: '0 0 16 16', 'aria-hidden': 'true', class: 'shape' })) {
    made.setAttribute(name, value);
  }
  drawn.setAttribute('d', path);
  drawn.setAttribute('fill-rule', 'evenodd');
  made.append(drawn);
  return made;
}

/**
 * An element of the page as it came.
 *
 * @throws Error when index.html has no such element: a mistake of ours
 */
export function part<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`index.html has no ${kind.name} with the id ${id}`);
}
