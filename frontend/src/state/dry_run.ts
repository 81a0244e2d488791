/** A dry run: gold cases before the first case of the study, each with the right answer behind it. */
import { ApiError } from "../api/client";
import type { Onboarding, Task, Trial, TrialAnswer } from "../api/types";
import { EMPTY_WORK, toSend } from "../model/answer";
import { canonical } from "./draft_sync";
import type { LocalDraft } from "./database";
import type { State, Store } from "./store";
import type { World } from "./world";

/** A draft of a dry run: kept on this computer alone, as corrections are. */
const OF_TRIAL = -1;

export interface DryRun {
  /** Open the next case, or show the gate. */
  next(begin: boolean): Promise<void>;
  /** Send the answer of the case on screen; the right one comes back. */
  answer(): Promise<void>;
}

/** What the session does for it. */
export interface Hooks {
  open(task: Task, draft: LocalDraft, trial: Trial): Promise<void>;
  /** Stop keeping the draft of the case on screen. */
  close(): Promise<void>;
  signedOut(): void;
}

export function openDryRun(project: string, world: World, store: Store<State>, hooks: Hooks): DryRun {
  const { api, database, clock, now, newId } = world;
  const sent = new Map<string, string>(); // what was said -> the id it was sent under

  /** The same answer sent again (a reply that got lost) is one answer. */
  function named(trial: string, read: Omit<TrialAnswer, "read_id">): TrialAnswer {
    const said = canonical([trial, read.answer, read.flags ?? null, read.comment ?? ""]);
    const read_id = sent.get(said) ?? newId();
    sent.set(said, read_id);
    return { ...read, read_id };
  }

  return {
    async next(begin) {
      const { user } = store.state;
      const { trial, onboarding } = await api.nextTrial(project, begin);
      store.set({ onboarding });
      if (!trial) {
        await hooks.close();
        return store.set({ phase: "gate", task: null, trial: null, review: null, work: EMPTY_WORK, open: null,
          saved: "saved" });
      }
      const local = await database.draft(user, trial.id);
      const fresh: LocalDraft = { user, task: trial.id, project, work: EMPTY_WORK, seconds: 0, base: 0,
        dirty: false, revision: OF_TRIAL, open: null };
      const task: Task = { id: trial.id, project, lease_expires: "", case: trial.case, draft: null,
        protocol_version: trial.protocol_version };
      await hooks.open(task, local?.revision === OF_TRIAL ? local : fresh, trial);
    },
    async answer() {
      const { protocol, work, user, trial } = store.state;
      if (!trial || !protocol) return;
      const read = named(trial.id, { answer: toSend(protocol.questions, work), flags: work.flags,
        comment: work.comment, seconds: clock.seconds(now()), protocol_version: protocol.version });
      try {
        const review = await api.answerTrial(trial.id, read);
        await hooks.close();
        await database.dropDraft(user, trial.id).catch(() => undefined);
        store.set({ review, onboarding: review.onboarding, selected: null, hint: null, saved: "saved" });
      } catch (reason) {
        if (reason instanceof ApiError && reason.failure === "signed-out") hooks.signedOut();
        const words = reason instanceof Error ? reason.message : String(reason);
        store.set({ hint: `${words} Your answer is kept here; submit it again.` });
      }
    },
  };
}

/** Nobody reads here who has not shown that they can. */
export function isGated(onboarding: Onboarding | null): boolean {
  return onboarding !== null && !onboarding.qualified;
}
