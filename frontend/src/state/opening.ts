/** Which draft a case opens with: this computer's, the server's, or a choice for the reader. Pure. */
import type { Draft, Task } from "../api/types";
import { EMPTY_WORK } from "../model/answer";
import type { LocalDraft } from "./database";
import { canonical } from "./draft_sync";

export interface Opening {
  readonly draft: LocalDraft;
  /** The server's newer draft that disagrees with unsent work of this computer. */
  readonly theirs: Draft | null;
}

export function openDraft(user: string, task: Task, local: LocalDraft | undefined): Opening {
  const server = task.draft;
  const fresh: LocalDraft = {
    user, task: task.id, project: task.project, work: workOf(server), seconds: server?.seconds ?? 0,
    base: server?.version ?? 0, dirty: false, revision: 0, open: null,
  };
  if (!local || local.revision !== 0) return { draft: fresh, theirs: null };
  const seconds = Math.max(local.seconds, fresh.seconds);
  const current = server?.version ?? 0;
  if (!local.dirty) {
    const kept = local.base >= current ? { ...local, base: current } : fresh;
    return { draft: { ...kept, seconds, open: local.open }, theirs: null };
  }
  const agree = canonical(local.work) === canonical(workOf(server));
  if (local.base === current || agree || !server) {
    return { draft: { ...local, seconds, base: current, dirty: !agree }, theirs: null };
  }
  return { draft: { ...local, seconds }, theirs: server };
}

function workOf(draft: Draft | null): LocalDraft["work"] {
  if (!draft) return EMPTY_WORK;
  return { answer: draft.answer, flags: draft.flags, comment: draft.comment };
}
