/** Guideline and atlas, one key away. */
import type { AtlasEntry, Protocol } from "../api/types";
import type { Question } from "../model/answer";
import { drawFindings } from "../tools/drawings";
import { h, safeHtml, show } from "./dom";

export interface Side {
  readonly element: HTMLElement;
  toggle(open?: boolean): void;
  readonly isOpen: boolean;
}

export function openGuide(): Side & { fill(protocol: Protocol): void } {
  const text = h("div", { class: "guideline" });
  const atlas = h("div", { class: "atlas" });
  const element = h("aside", { class: "side", "aria-label": "Guideline and atlas", hidden: true, tabindex: "-1" },
    text, atlas);
  return {
    element,
    get isOpen() { return !element.hidden; },
    toggle(open = Boolean(element.hidden)) {
      show(element, open);
      if (open) element.focus({ preventScroll: true });
    },
    fill(protocol) {
      text.replaceChildren(safeHtml(protocol.guideline_html));
      const pictures = protocol.atlas.map((entry) => picture(entry, protocol.questions));
      atlas.replaceChildren(...(pictures.length ? [h("h2", {}, "Atlas"), ...pictures] : []));
    },
  };
}

export function picture(entry: AtlasEntry, questions: readonly Question[]): HTMLElement {
  const image = h("img", { src: entry.image_url, alt: entry.class ?? "", loading: "lazy" });
  const canvas = h("canvas", { class: "drawing" });
  image.addEventListener("load", () => drawOver(canvas, image, entry, questions));
  const words = entry.do ? "Do" : "Don't";
  return h("figure", { class: entry.do ? "do" : "dont" },
    h("div", { class: "frame" }, image, entry.drawing ? canvas : null),
    h("figcaption", {}, h("b", {}, `${words}${entry.class ? `: ${entry.class}` : ""}`),
      h("span", {}, entry.why)));
}

function drawOver(
  canvas: HTMLCanvasElement, image: HTMLImageElement, entry: AtlasEntry, questions: readonly Question[],
): void {
  if (!entry.drawing) return;
  const scale = image.clientWidth / image.naturalWidth || 1;
  [canvas.width, canvas.height] = [image.clientWidth, image.clientHeight];
  const context = canvas.getContext("2d");
  const map = { a: scale, b: 0, c: 0, d: scale, e: 0, f: 0 };
  if (context) drawFindings(context, { questions, answer: entry.drawing, frame: 0, selected: null, map });
}
