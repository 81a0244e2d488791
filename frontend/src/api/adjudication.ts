/** A senior answers a case anew with the ordinary tools: the page's API, with a decision for a read. */
import type { Api } from "./client";
import type { Progress, Task } from "./types";

export interface Deciding {
  readonly adjudication: string;
  /** Letter of the read to begin with; "" for an empty answer. */
  readonly from: string;
  /** The decision is with the server, or the senior does not go on. */
  leave(done: boolean): void;
  now(): number;
}

const NONE: Progress = { done: 0, total: 1, about: false, median_seconds: null, left_seconds: null, paused: "", feedback: 0 };
const WORDS = "You decide on this case: what you submit is its reference standard. Say why in the comment.";

export function decidingApi(api: Api, { adjudication, from, leave, now }: Deciding): Api {
  let over = false;

  async function task(): Promise<Task> {
    const found = await api.adjudication(adjudication);
    const start = found.reads.find(({ letter }) => letter === from);
    // A later look begins with the read that was chosen now, whatever was drawn in an earlier one.
    const draft = start
      ? { version: now(), answer: start.answer, flags: { cannot_be_read: start.flags.cannot_be_read, ask_a_senior: false }, comment: "", seconds: 0 }
      : null;
    return { id: adjudication, project: found.project, lease_expires: "", case: found.case,
      protocol_version: found.protocol_version, draft, asked: { why: "decide", words: WORDS } };
  }

  return {
    ...api,
    claim: async () => (over ? [] : [await task()]),
    progress: async () => NONE,
    mine: async () => [],
    heartbeat: async () => undefined,
    preLabel: async () => ({ answer: null, by: [] }),
    hints: async () => [],
    check: async () => ({ looked: false, hints: [] }),
    saveDraft: async (_, draft) => draft.version + 1,
    submit: async (_, read) => {
      await api.decide(adjudication, { answer: read.answer, cannot_be_read: read.flags?.cannot_be_read ?? false,
        reason: read.comment ?? "", seconds: read.seconds, pick: "" });
      over = true;
      leave(true);
      return { read_id: read.read_id, revision: 1, surplus: false };
    },
    skip: async () => {
      over = true;
      leave(false);
    },
  };
}

/** What a decision lacks before it can be sent. */
export function lacksReason(comment: string): string | null {
  return comment.trim() ? null : "Say in the comment why: the reason is kept with the decision.";
}
