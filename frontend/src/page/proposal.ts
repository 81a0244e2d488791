/** Above the questions: whose answer one starts from, and the ways to ask for it and for hints. */
import { shown } from "../keys/keymap";
import type { Proposal } from "../state/store";
import type { State } from "../state/store";
import { button, h, show, write } from "./dom";

export interface ProposalPart {
  readonly element: HTMLElement;
  update(state: State): void;
  setKeys(keyOf: (command: string) => string | null): void;
}

type Acts = Readonly<Record<"ask" | "hints" | "next" | "take", () => void>>;

export function openProposal(acts: Acts): ProposalPart {
  const ask = button("Pre-label", acts.ask, "quiet");
  const hints = button("Hints", acts.hints, "quiet");
  const next = button("Next", acts.next, "quiet");
  const take = button("Box it", acts.take, "quiet");
  const words = h("p", { class: "proposed", role: "status" });
  const legend = h("p", { class: "legend" }, "Dotted: places that stand out. They say nothing of what is asked.");
  const element = h("section", { class: "proposal", "aria-label": "Pre-label", hidden: true },
    words, h("div", { class: "pair" }, ask.element, hints.element), legend,
    h("div", { class: "pair" }, next.element, take.element));
  next.element.setAttribute("aria-label", "Next hint");
  take.element.setAttribute("aria-label", "Make the hint a box");
  return {
    element,
    update(state) {
      const { protocol, proposal, trial, revision } = state;
      const mayAsk = protocol?.pre_label === "on demand";
      const here = state.phase === "reading" && !trial && revision === 0 && protocol !== null;
      show(element, here && (mayAsk || protocol.hints || proposal?.state === "shown"));
      show(ask.element, mayAsk && proposal === null);
      show(hints.element, protocol?.hints ?? false);
      hints.pressed(state.hintsOn);
      show(legend, state.hintsOn);
      const boxed = state.hintsOn && protocol?.questions[state.question]?.kind === "box";
      show(next.element, boxed);
      show(take.element, boxed);
      take.enabled(state.hintChosen !== null);
      write(words, proposalWords(proposal));
      show(words, proposal !== null);
    },
    setKeys(keyOf) {
      for (const [each, id] of [[ask, "pre-label"], [hints, "hints"], [next, "next-hint"], [take, "take-hint"]] as const) {
        const key = keyOf(id);
        each.key(key === null ? null : shown(key));
      }
    },
  };
}

/** Who proposes, and how sure they are, in a line. */
export function proposalWords(proposal: Proposal | null): string {
  if (!proposal) return "";
  if (proposal.state === "asked") return "The pre-label is on its way …";
  if (proposal.state === "none") return "There is no pre-label for this case.";
  const names = [...new Set(proposal.by.map(({ model, version }) => `${model} ${version}`))].join(", ");
  const known = proposal.by.map(({ confidence }) => confidence).filter((one) => one !== null);
  const sure = known.length ? `, ${Math.round(100 * Math.min(...known))} % sure` : "";
  return `Proposed by ${names}${sure}. It is a start: change what is wrong.`;
}
