/** Small panels in a corner that ask for something without stopping the reading. */
import { isSpatial, type Answer, type Question } from "../model/answer";
import { ApiError } from "../api/client";
import type { Draft } from "../api/types";
import type { Sending } from "../state/database";
import type { Session } from "../state/session";
import type { State } from "../state/store";
import { findingsOf } from "../tools/edits";
import { button, h, show, write } from "./dom";

export function openNotes(session: Session): HTMLElement {
  const parts = [askedNote(), loginNote(session), conflictNote(session), refusedNote(session)];
  session.store.subscribe((state) => parts.forEach((part) => part.update(state)));
  return h("div", { class: "notes" }, ...parts.map(({ element }) => element));
}

interface Note {
  readonly element: HTMLElement;
  update(state: State): void;
}

const ASKED: Readonly<Record<string, string>> = {
  adjudication: "A senior asks you to look again", protocol: "The protocol has changed: please read this again",
  decide: "Adjudication",
};

/** Why this case comes again; it goes away with the case, or when it was read. */
function askedNote(): Note {
  const [title, words] = [h("h2", {}), h("p", {})];
  let seen = "";
  let task = "";
  const close = button("I have read it", () => { seen = task; show(element, false); }, "quiet");
  const element = h("section", { class: "note asked", "aria-label": "Asked again", hidden: true },
    title, words, close.element);
  return {
    element,
    update(state) {
      const asked = state.phase === "reading" ? state.task?.asked : null;
      task = state.task?.id ?? "";
      show(element, Boolean(asked) && seen !== task);
      if (!asked) return;
      write(title, ASKED[asked.why] ?? "Asked again");
      write(words, asked.words);
    },
  };
}

function loginNote(session: Session): Note {
  const email = h("input", { type: "email", autocomplete: "username", "aria-label": "E-mail",
    placeholder: "E-mail", required: true });
  const password = h("input", { type: "password", autocomplete: "current-password",
    "aria-label": "Password", placeholder: "Password", required: true });
  const problem = h("p", { class: "problem", role: "alert" });
  const send = h("button", { type: "submit", class: "submit" }, "Log in");
  const text = h("p", {});
  const form = h("form", { class: "note", "aria-label": "Log in", hidden: true },
    h("h2", {}, "Log in again"), text, email, password, problem, send);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send.disabled = true;
    write(problem, "");
    session.login(email.value, password.value)
      .then(() => { password.value = ""; })
      .catch((reason: unknown) => write(problem, loginProblem(reason)))
      .finally(() => { send.disabled = false; });
  });
  return {
    element: form,
    update(state) {
      write(text, state.user
        ? "Your session has ended. Everything you did is kept here and is sent after you log in."
        : "Log in to read.");
      show(form, state.signedOut);
    },
  };
}

function loginProblem(reason: unknown): string {
  if (!(reason instanceof ApiError)) return String(reason);
  if (reason.failure === "signed-out") return "E-mail or password is wrong.";
  if (reason.status === 429) return "Too many tries. Wait a minute, then try again.";
  return reason.message;
}

function conflictNote(session: Session): Note {
  const [mine, theirs] = [h("p", {}), h("p", {})];
  const element = h("section", { class: "note", "aria-label": "Two versions", hidden: true },
    h("h2", {}, "This case has two versions"),
    h("p", {}, "You worked on it in another tab or on another computer. Keep which one?"),
    h("h3", {}, "Here"), mine, h("h3", {}, "On the server"), theirs,
    h("div", { class: "pair" },
      button("Keep what is here", session.keepMine, "quiet").element,
      button("Take the server's", session.takeTheirs, "quiet").element));
  return {
    element,
    update({ conflict, protocol, work }) {
      show(element, conflict !== null);
      if (!conflict || !protocol) return;
      write(mine, summary(protocol.questions, work.answer, work.comment));
      write(theirs, draftSummary(protocol.questions, conflict.theirs));
    },
  };
}

function refusedNote(session: Session): Note {
  const element = h("section", { class: "note", "aria-label": "Not accepted", hidden: true });
  let of: readonly Sending[] = [];
  function row(each: Sending): HTMLElement {
    return h("div", { class: "refused" }, h("p", {}, each.refused ?? ""),
      button("Open it again", () => void session.reopen(each), "quiet").element);
  }
  return {
    element,
    update({ refused }) {
      show(element, refused.length > 0);
      if (refused === of) return;
      of = refused;
      element.replaceChildren(h("h2", {}, "A read was not accepted"),
        h("p", {}, "It is kept here. Open it to look at it and submit it again."), ...refused.map(row));
    },
  };
}

function draftSummary(questions: readonly Question[], draft: Draft): string {
  return summary(questions, draft.answer, draft.comment);
}

/** An answer in a line, to tell two versions apart. */
export function summary(questions: readonly Question[], answer: Answer, comment: string): string {
  const parts = questions.map((question) => {
    const value = answer[question.id];
    if (value === undefined) return null;
    if (question.kind === "mask") return `${question.id}: ${(value as readonly unknown[]).length} painted`;
    if (isSpatial(question.kind)) return `${question.id}: ${findingsOf(answer, question).length} drawn`;
    if (Array.isArray(value)) return `${question.id}: ${value.join(", ") || "none"}`;
    return `${question.id}: ${String(value)}`;
  });
  const said = [...parts, comment ? `"${comment}"` : null].filter((part) => part !== null);
  return said.join(" · ") || "nothing yet";
}
