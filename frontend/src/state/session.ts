/** A reader at work: opens cases, takes changes, sends reads, goes back. Knows no page and no pixels. */
import { ApiError } from "../api/client";
import type { Draft, OwnRead, Task, Trial } from "../api/types";
import { EMPTY_WORK, missing, toSend, type Work } from "../model/answer";
import type { Case } from "../model/case";
import type { LocalDraft, OpenRing, Sending, Settings } from "./database";
import { canonical, draftSync, type DraftSync } from "./draft_sync";
import { history, type History } from "./history";
import { isGated, openDryRun } from "./dry_run";
import { openDraft } from "./opening";
import { openLook } from "./look";
import { NOTHING_SHOWN, openPreLabels, type PreLabels } from "./pre_label";
import { openOutbox, type Outbox } from "./outbox";
import { openQueue, type Queue } from "./queue";
import { createStore, firstClasses, firstState, noSettings, type State, type Store } from "./store";
import type { World } from "./world";

export interface Session {
  readonly store: Store<State>;
  readonly preLabels: PreLabels;
  start(): Promise<void>;
  login(email: string, password: string): Promise<void>;
  /** One step of work. */
  change(work: Partial<Work>): void;
  /** A part of a step (a drag goes on); `settle` ends it. */
  amend(work: Partial<Work>): void;
  settle(): void;
  setOpen(open: OpenRing | null): void;
  undo(): void;
  redo(): void;
  setFrame(frame: number): Promise<void>;
  submit(): Promise<void>;
  /** Begin a dry run. */
  begin(): Promise<void>;
  /** Say why the right answer of the dry run is wrong. */
  dispute(words: string): Promise<void>;
  skip(reason: string): Promise<void>;
  previous(): Promise<void>;
  keepMine(): void;
  takeTheirs(): void;
  /** A read that the server refused: open it again. */
  reopen(sending: Sending): Promise<void>;
  setSettings(part: Partial<Settings>): void;
  /** The network is back, or a while has passed. */
  flush(): Promise<void>;
  heartbeat(): Promise<void>;
  farewell(): void;
}

/** Cases whose images stay after they were read: going back is then at once. */
const RECENT = 2;

export function openSession(project: string, world: World): Session {
  const { api, database, screen, clock, now, later } = world;
  const store = createStore<State>(firstState(database.lasting));
  const set = store.set;
  let outbox: Outbox;
  let queue: Queue;
  let sync: DraftSync | null = null;
  let steps: History<Work> = history(EMPTY_WORK);
  let done: OwnRead[] = []; // latest first
  let back = -1; // place in `done` of the read that is being corrected
  let moving: Promise<void> | null = null;
  let isLeaving = false; // the read of the case on screen is on its way; the next is not on screen yet
  let recent: Case[] = []; // on screen and just left, latest first

  const look = openLook(api);
  const preLabels = openPreLabels(api, store, {
    change: (work) => self.change(work), setFrame: (frame) => self.setFrame(frame),
  });
  const dryRun = openDryRun(project, world, store, {
    open: (task, draft, trial) => open(task, draft, null, trial),
    close: async () => { await sync?.close(); sync = null; },
    signedOut: () => signedOut(),
  });
  /** What was answered stays as it is: a key pressed meanwhile is not about the case that comes. */
  const isFixed = (): boolean => store.state.review !== null || isLeaving;

  const signedOut = (): void => set({ signedOut: true });

  async function open(
    task: Task, draft: LocalDraft, theirs: Draft | null, trial: Trial | null = null,
  ): Promise<void> {
    const { protocol } = store.state;
    await screen.show(task.case, 0);
    isLeaving = false;
    steps = history(draft.work);
    sync = draftSync(draft, api, database, {
      saved: (saved) => set({ saved }),
      signedOut,
      conflict: (newer) => sync && set({ conflict: { mine: sync.draft, theirs: newer } }),
    }, later);
    clock.start(draft.seconds, now());
    const first = protocol?.questions.findIndex((q) => draft.work.answer[q.id] === undefined) ?? 0;
    set({
      phase: "reading", problem: null, task, revision: Math.max(0, draft.revision), work: draft.work,
      canUndo: false, canRedo: false, question: Math.max(0, first), selected: null, frame: 0,
      open: draft.open, saved: draft.dirty ? "here" : "saved", hint: null, told: [], trial, review: null, ...NOTHING_SHOWN,
      conflict: theirs ? { mine: draft, theirs } : null,
    });
    if (theirs) sync.offer(theirs);
    else void sync.flush().then(() => preLabels.opened(draft));
  }

  async function next(): Promise<void> {
    back = -1;
    try {
      if (isGated(store.state.onboarding)) return await dryRun.next(false);
      const task = await queue.next();
      if (!task) return await ended();
      const local = await database.draft(store.state.user, task.id);
      const { draft, theirs } = openDraft(store.state.user, task, local);
      await open(task, draft, theirs);
    } catch (reason) {
      return troubled(reason);
    }
    void ahead();
  }

  async function ahead(): Promise<void> {
    const { task } = store.state;
    letGo(task);
    if (task) await screen.preload(task.case).catch(() => undefined);
    await queue.refill(task);
  }

  /** Images that are neither on screen, nor ahead, nor just left. */
  function letGo(task: Task | null): void {
    if (task) recent = [task.case, ...recent.filter(({ id }) => id !== task.case.id)];
    const wanted = new Set(queue.ahead.map((each) => each.case.id));
    for (const old of recent.slice(RECENT)) if (!wanted.has(old.id)) screen.release(old);
    recent = recent.slice(0, RECENT);
  }

  async function ended(): Promise<void> {
    sync = null;
    isLeaving = false;
    const progress = await api.progress(project).catch(() => store.state.progress);
    const all = progress !== null && progress.total > 0;
    set({ phase: all ? "finished" : "empty", task: null, progress, work: EMPTY_WORK,
      open: null, saved: "saved", conflict: null, trial: null, review: null });
  }

  function troubled(reason: unknown): void {
    const failure = reason instanceof ApiError ? reason.failure : null;
    if (failure === "signed-out") signedOut();
    const problem = reason instanceof Error ? reason.message : String(reason);
    sync = null;
    isLeaving = false;
    set({ phase: "problem", problem, task: null, trial: null, review: null });
    if (failure === "offline") later(() => { if (store.state.phase === "problem") void next(); }, 3000);
  }

  function taken(work: Work, isStep: boolean): void {
    set({ work, canUndo: steps.canUndo, canRedo: steps.canRedo, hint: null, told: look.left(work.answer) });
    sync?.change({ work, seconds: clock.seconds(now()) }, isStep);
  }

  /** One move between cases at a time: a second press of the key is not a second read. */
  async function once(act: () => Promise<void>): Promise<void> {
    if (moving) return;
    moving = act().finally(() => { moving = null; });
    await moving;
  }

  /** A move that is meant however fast the key is pressed: after the one that is under way. */
  async function after(act: () => Promise<void>): Promise<void> {
    await moving?.catch(() => undefined);
    await once(act);
  }

  async function send(what: Sending["what"]): Promise<boolean> {
    const { task, user } = store.state;
    if (!task) return false;
    const sending: Sending = {
      id: "submit" in what ? what.submit.read_id : world.newId(), user, project, task: task.id,
      case: task.case, order: nextOrder(outbox), what, refused: null, theirs: null,
    };
    isLeaving = true;
    await sync?.close();
    try {
      await outbox.add(sending);
    } catch {
      await reopenHere();
      set({ hint: "This computer has no room left to keep the read. Make room, then submit again." });
      return false;
    }
    queue.finish(task.id);
    return true;
  }

  /** After a failed submit: the case stays as it is, and goes on being saved. */
  async function reopenHere(): Promise<void> {
    const { task } = store.state;
    if (task && sync) await open(task, sync.draft, null);
  }

  function openQuestion(): string | null {
    const { protocol, work } = store.state;
    const lacking = missing(protocol?.questions ?? [], work)[0];
    if (!lacking || !protocol) return null;
    set({ question: protocol.questions.indexOf(lacking) });
    return `Still open: ${lacking.prompt}`;
  }

  async function correct(read: OwnRead): Promise<void> {
    const { user, task, revision } = store.state;
    await sync?.flush();
    await sync?.close();
    if (task && revision === 0) queue.putBack({ ...task, draft: null });
    const local = await database.draft(user, read.task);
    const work = { answer: read.answer, flags: read.flags, comment: read.comment };
    const fresh: LocalDraft = { user, task: read.task, project, work, seconds: 0, base: 0,
      dirty: false, revision: read.revision, open: null };
    const draft = local?.revision === read.revision ? local : fresh;
    const again: Task = { id: read.task, project, lease_expires: "", case: read.case, draft: null,
      protocol_version: store.state.protocol?.version ?? 0 };
    await open(again, draft, null);
  }

  /** The reads that can be gone back to, latest first; what is only here is among them. */
  async function earlier(): Promise<OwnRead[]> {
    const known = new Set(done.map(({ task }) => task));
    const asked = await api.mine(project, 20).catch(() => []);
    return [...done, ...asked.filter(({ task }) => !known.has(task))];
  }

  function remember(read: OwnRead): void {
    done = [read, ...done.filter(({ task }) => task !== read.task)].slice(0, 50);
  }

  const self: Session = {
    store, preLabels,
    async start() {
      try {
        const me = await api.me();
        outbox = openOutbox(me.id, api, database, {
          changed: () => set({ waiting: outbox.waiting, refused: outbox.refused }),
          signedOut,
          acknowledged: (item) => {
            const { progress } = store.state;
            const first = !("submit" in item.what) || item.what.submit.base_revision === 0;
            if (progress && first) set({ progress: { ...progress, done: progress.done + 1,
              left_seconds: less(progress) } });
          },
        }, later);
        const settings = (await database.settings(me.id)) ?? noSettings(me.id);
        set({ user: me.id, settings, signedOut: false });
        await outbox.open();
        queue = openQueue(project, api, screen, outbox);
        for (const each of [...outbox.waiting, ...outbox.refused]) queue.finish(each.task);
        void outbox.flush();
        const [protocol, progress, onboarding] = await Promise.all(
          [api.protocol(project), api.progress(project), api.onboarding(project)]);
        set({ protocol, progress, onboarding, classes: firstClasses(protocol.questions) });
        await next();
      } catch (reason) {
        troubled(reason);
      }
    },
    async login(email, password) {
      const me = await api.login(email, password);
      const { user, phase } = store.state;
      if (user && user !== me.id) return location.reload(); // another reader's work stays hers
      set({ signedOut: false });
      if (!user) return self.start();
      await self.flush();
      if (phase === "problem") await next();
    },
    change(work) {
      if (isFixed()) return;
      steps.push({ ...steps.value, ...work });
      taken(steps.value, true);
    },
    amend(work) {
      if (isFixed()) return;
      steps.amend({ ...steps.value, ...work });
      taken(steps.value, false);
    },
    settle() {
      steps.settle();
      taken(steps.value, true);
    },
    setOpen(ring) {
      set({ open: ring });
      sync?.change({ open: ring, seconds: clock.seconds(now()) }, true);
    },
    undo() { if (!isFixed() && steps.undo()) taken(steps.value, true); },
    redo() { if (!isFixed() && steps.redo()) taken(steps.value, true); },
    async setFrame(frame) {
      const { task } = store.state;
      if (!task || frame < 0 || frame >= task.case.frames || frame === store.state.frame) return;
      set({ frame, selected: null });
      await screen.setFrame(frame).catch((reason: unknown) => set({ hint: String(reason) }));
    },
    submit: () => once(async () => {
      const { task, work, protocol, revision, conflict, trial, review } = store.state;
      if (!task || !protocol) return;
      if (review) return next();
      if (conflict) return set({ hint: "First choose which of the two versions to keep." });
      const hint = openQuestion() ?? world.lacking?.(work) ?? null;
      if (hint) return set({ hint });
      if (trial) return dryRun.answer();
      const before = done[back];
      const answer = toSend(protocol.questions, work);
      const same = revision > 0 && before &&
        canonical([before.answer, before.flags, before.comment]) ===
          canonical([answer, work.flags, work.comment]);
      if (!same) {
        isLeaving = true; // what is looked at is what is sent
        const told = await look.before(task.id, protocol, answer, work.flags);
        isLeaving = false;
        if (told.length) return set({ told, hint: null, selected: told.find((one) => one.finding)?.finding ?? null });
        const read = { read_id: world.newId(), answer, flags: work.flags, comment: work.comment,
          seconds: clock.seconds(now()), base_revision: revision,
          protocol_version: protocol.version, advice: [...look.advice(task.id, answer)] };
        if (!(await send({ submit: read }))) return;
        remember({ ...read, task: task.id, case: task.case, revision: revision + 1,
          submitted: "" });
      }
      await next();
    }),
    begin: () => once(() => dryRun.next(true).catch(troubled)),
    dispute: (words) => api.dispute(store.state.review?.trial ?? "", words),
    skip: (reason) => once(async () => {
      if (store.state.trial) return set({ hint: "A dry run has no skipping. Say “cannot be read” if so." });
      if (store.state.revision > 0) return next();
      if (await send({ skip: reason })) await next();
    }),
    previous: () => after(async () => {
      if (store.state.trial) return set({ hint: "The right answer was shown: there is no way back." });
      if (back < 0) done = await earlier();
      const read = done[back + 1];
      if (!read) return set({ hint: "There is no earlier read of yours." });
      await correct(read);
      back += 1;
      letGo(store.state.task);
    }),
    keepMine() {
      sync?.keepMine();
      set({ conflict: null });
    },
    takeTheirs() {
      const draft = sync?.takeTheirs();
      if (draft) {
        steps.push(draft.work);
        set({ work: draft.work, open: null, canUndo: steps.canUndo });
      }
      set({ conflict: null });
    },
    reopen: (sending) => once(async () => {
      if (!("submit" in sending.what)) return outbox.drop(sending.id);
      const { submit } = sending.what;
      const revision = sending.theirs?.version ?? submit.base_revision;
      await correct({ ...submit, task: sending.task, case: sending.case, revision, submitted: "" });
      sync?.change({ work: steps.value }, true);
      await outbox.drop(sending.id);
    }),
    setSettings(part) {
      const settings = { ...store.state.settings, ...part };
      set({ settings });
      void database.putSettings(settings).catch(() => undefined);
    },
    async flush() {
      if (store.state.signedOut) return;
      await outbox?.flush();
      await sync?.flush();
      if (isGated(store.state.onboarding) || store.state.trial) return;
      void queue?.refill(store.state.task);
    },
    async heartbeat() {
      const { task, revision, trial, signedOut: out } = store.state;
      if (out || trial) return;
      const held = [...(task && revision === 0 ? [task] : []), ...(queue?.ahead ?? [])];
      await Promise.all(held.map(({ id }) => api.heartbeat(id).catch((reason: unknown) => {
        if (reason instanceof ApiError && reason.failure === "signed-out") signedOut();
      })));
    },
    farewell() {
      sync?.change({ seconds: clock.seconds(now()) }, true);
      sync?.farewell();
    },
  };
  return self;
}

function less(progress: { done: number; total: number; left_seconds: number | null }): number | null {
  const left = progress.total - progress.done;
  if (progress.left_seconds === null || left <= 0) return progress.left_seconds;
  return (progress.left_seconds * (left - 1)) / left;
}

function nextOrder(outbox: Outbox): number {
  return Math.max(0, ...[...outbox.waiting, ...outbox.refused].map(({ order }) => order)) + 1;
}
