/** What stands where the image would be: loading, nothing to read, all done, something wrong. */
import type { State } from "../state/store";
import { button, h, show, write } from "./dom";

export interface Ends {
  readonly element: HTMLElement;
  update(state: State): void;
}

export function openEnds(acts: { again(): void; begin(): void; previous(): void }): Ends {
  const [title, text] = [h("h1", {}), h("p", {})];
  const again = button("Look again", acts.again, "submit");
  const begin = button("Begin", acts.begin, "submit");
  const profile = h("a", { href: "/account#profile", class: "submit" }, "My profile");
  const look = h("a", { href: location.pathname.replace(/^\/read\//, "/projects/") + "/feedback", class: "submit" }, "Look again");
  const previous = button("Back to your last read", acts.previous, "quiet");
  const home = h("a", { href: "/home", class: "quiet" }, "My reading");
  const element = h("div", { class: "end" }, title, text,
    h("div", { class: "row" }, again.element, begin.element, profile, look, previous.element, home));
  return {
    element,
    update(state) {
      show(element, state.phase !== "reading");
      const [head, words] = texts(state);
      write(title, head);
      write(text, words);
      const action = state.phase === "gate" ? state.onboarding?.action : undefined;
      show(again.element, state.phase === "empty" || state.phase === "problem" || action === "wait");
      show(begin.element, action === "begin");
      begin.label(state.onboarding?.title.startsWith("Not") ? "Try again on other cases" : "Begin the dry run");
      show(profile, action === "profile");
      show(look, paused(state) && (state.progress?.feedback ?? 0) > 0);
      show(previous.element, state.phase === "finished");
      show(home, state.phase !== "loading");
      home.classList.toggle("first", state.phase === "finished");
    },
  };
}

function texts(state: State): readonly [string, string] {
  const { progress } = state;
  if (progress?.paused && paused(state)) {
    const again = progress.feedback ?? 0;
    if (again > 0) {
      return ["You are paused here", `${progress.paused} Everything you have read is kept. ` +
        `Look again at ${cases(again)} of yours, beside what the others say of ${again === 1 ? "it" : "them"} together.`];
    }
    return ["You are paused here", `${progress.paused} Everything you have read is kept. ` +
      "Look at the guideline and the atlas again meanwhile; fresh cases come here when the lead asks for them."];
  }
  switch (state.phase) {
    case "loading": return ["", state.signedOut ? "Log in to read." : ""];
    case "finished": {
      const open = state.waiting.length;
      const sent = open === 0 ? "Every read is with the server."
        : `${open} of your reads are kept here and on their way. Keep this tab open until they are sent.`;
      if (progress && progress.done + open < progress.total) {
        return ["Nothing to read just now", `You have read ${progress.done} of ${cases(progress.total)}. ` +
          `The others are with other readers. ${sent}`];
      }
      return ["All done. Thank you.", `You have read ${cases(progress?.total ?? 0)}. ${sent}`];
    }
    case "empty": return ["No cases yet", "Nothing is waiting for you in this project. The study lead adds " +
      "cases and plans who reads them; then they appear here."];
    case "problem": return ["The next case cannot be opened", `${state.problem ?? ""} ` +
      "Everything you have read is kept. This page tries again by itself when the server is away."];
    case "gate": return [state.onboarding?.title ?? "", state.onboarding?.words ?? ""];
    case "reading": return ["", ""];
  }
}

function paused(state: State): boolean {
  return Boolean(state.progress?.paused) && (state.phase === "finished" || state.phase === "empty");
}

function cases(count: number): string {
  return `${count} ${count === 1 ? "case" : "cases"}`;
}
