/** After a case of a dry run: what was right, the atlas entry of it, and a way to say "that is wrong". */
import { shown } from "../keys/keymap";
import type { Session } from "../state/session";
import type { State } from "../state/store";
import { picture } from "./guide";
import { button, h, show, write } from "./dom";

export interface Review {
  readonly element: HTMLElement;
  setKeys(keyOf: (command: string) => string | null): void;
}

export function openReview(session: Session, next: () => void): Review {
  const title = h("h2", {});
  const marks = h("ul", { class: "marks" });
  const legend = h("p", { class: "legend" }, "Solid or filled: yours. Dashed or outlined: the right answer.");
  const atlas = h("div", { class: "atlas" });
  const run = h("div", { class: "run" });
  const go = button("Next", next, "submit");
  const words = h("textarea", { rows: "2", maxlength: "4000", "aria-label": "Why the right answer is wrong",
    placeholder: "Why is it wrong?" });
  const told = h("p", { class: "hint", role: "status" });
  const send = button("Dispute it", () => void dispute(), "quiet");
  const doubt = h("details", {}, h("summary", {}, "The right answer is wrong"), words, send.element);
  const element = h("aside", { class: "panel review", "aria-label": "Right answer", hidden: true },
    title, marks, legend, atlas, doubt, told, run, h("div", { class: "ends" }, go.element));

  async function dispute(): Promise<void> {
    if (words.value.trim() === "") return write(told, "Say why in a line.");
    try {
      await session.dispute(words.value.trim());
      doubt.open = false;
      show(doubt, false);
      write(told, "Told. A senior decides.");
    } catch (reason) {
      write(told, reason instanceof Error ? reason.message : String(reason));
    }
  }

  session.store.subscribe((state, old) => {
    show(element, state.review !== null);
    if (!state.review || state.review === old.review) return;
    fill(state);
  });

  function fill({ review, trial, protocol }: State): void {
    if (!review || !protocol) return;
    const all = review.marks.every(({ right }) => right);
    write(title, all ? "Right" : "Not quite");
    marks.replaceChildren(...review.marks.map((one) =>
      h("li", { class: one.right ? "right" : "wrong" },
        review.marks.length > 1 ? h("b", {}, one.prompt) : null, h("span", {}, one.words))));
    show(legend, protocol.questions.some(({ kind }) => ["box", "instance", "mask"].includes(kind)));
    const entries = review.atlas.flatMap((id) => protocol.atlas.filter((each) => each.id === id));
    atlas.replaceChildren(...entries.map((each) => picture(each, protocol.questions)));
    const { onboarding } = review;
    const ended = trial !== null && trial.number >= trial.cases;
    run.replaceChildren(...(ended ? [h("h2", {}, onboarding.title), h("p", {}, onboarding.words)] : []));
    go.label(!ended ? "Next case" : onboarding.qualified ? "Begin reading" : "Go on");
    words.value = "";
    doubt.open = false;
    show(doubt, true);
    write(told, "");
  }

  return {
    element,
    setKeys(keyOf) {
      const key = keyOf("submit");
      go.key(key === null ? null : shown(key));
    },
  };
}
