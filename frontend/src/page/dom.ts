/** Small means to build the page. Texts are texts: nothing here parses HTML. */

type Child = Node | string | null | undefined;
type Attributes = Readonly<Record<string, string | boolean | EventListener | undefined>>;

/** Make an element; `on...` attributes are listeners, true and false switch attributes. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K, attributes: Attributes = {}, ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (typeof value === "string") element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Write a text only where it differs, so that screen readers hear changes and nothing else. */
export function write(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function show(element: HTMLElement, visible: boolean): void {
  if (element.hidden === visible) element.hidden = !visible;
}

export interface Button {
  readonly element: HTMLButtonElement;
  label(text: string): void;
  key(text: string | null): void;
  pressed(on: boolean): void;
  enabled(on: boolean): void;
}

/** A button with its key on it. */
export function button(label: string, act: () => void, kind = "tool"): Button {
  const [text, cap] = [h("span", {}, label), h("kbd", { hidden: true })];
  const element = h("button", { type: "button", class: kind }, text, cap);
  element.addEventListener("click", (event) => {
    // After a mouse click the keys belong to the image again; after a key press focus stays.
    if (event.detail > 0) element.blur();
    act();
  });
  return {
    element,
    label: (now) => write(text, now),
    key(now) {
      write(cap, now ?? "");
      show(cap, now !== null);
    },
    pressed: (on) => element.setAttribute("aria-pressed", String(on)),
    enabled(on) { if (element.disabled === on) element.disabled = !on; },
  };
}

const ALLOWED = new Set(["P", "H1", "H2", "H3", "H4", "H5", "H6", "UL", "OL", "LI", "B", "STRONG", "I",
  "EM", "CODE", "PRE", "BLOCKQUOTE", "TABLE", "THEAD", "TBODY", "TR", "TH", "TD", "HR", "BR", "DL",
  "DT", "DD", "SUB", "SUP", "IMG", "A"]);

/** The guideline's HTML, rebuilt from a short list of elements; all else stays as its text. */
export function safeHtml(html: string): DocumentFragment {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  const result = document.createDocumentFragment();
  for (const child of parsed.body.childNodes) result.append(...safe(child));
  return result;
}

function safe(node: Node): Node[] {
  if (node.nodeType === Node.TEXT_NODE) return [document.createTextNode(node.textContent ?? "")];
  if (!(node instanceof Element) || ["SCRIPT", "STYLE", "TEMPLATE"].includes(node.tagName)) return [];
  const children = [...node.childNodes].flatMap(safe);
  if (!ALLOWED.has(node.tagName)) return children;
  const copy = document.createElement(node.tagName);
  const [href, src] = [node.getAttribute("href"), node.getAttribute("src")];
  if (href && /^https?:\/\//i.test(href)) {
    copy.setAttribute("href", href);
    copy.setAttribute("rel", "noreferrer noopener");
    copy.setAttribute("target", "_blank");
  }
  if (src?.startsWith("/")) copy.setAttribute("src", src);
  const alt = node.getAttribute("alt");
  if (alt) copy.setAttribute("alt", alt);
  copy.append(...children);
  return [copy];
}
