/** A reader's session against the development server: no network, no session, no room, two tabs. */
import { IDBFactory } from "fake-indexeddb";
import { expect, test } from "vitest";
import { openDatabase, type Database } from "../src/state/database";
import { around, dev, grade, settled, tab } from "./tabs";

test("a read is sent, the next case is there", async () => {
  const session = await tab("knee");
  const first = session.store.state.task!.id;
  grade(session, "2");
  await session.submit();
  expect(session.store.state.task!.id).not.toBe(first);
  await settled(async () => {
    const { reads } = await dev("state");
    expect(reads.map(({ task, answer }) => [task, answer])).toEqual([[first, { grade: "2" }]]);
  });
  await settled(() => expect(session.store.state.waiting).toEqual([]));
});

test("an unanswered question holds the submit and says which", async () => {
  const session = await tab("knee");
  const { task } = session.store.state;
  await session.submit();
  expect(session.store.state.task).toBe(task);
  expect(session.store.state.hint).toContain("Kellgren-Lawrence");
});

test("two quick submits are one read", async () => {
  const session = await tab("knee");
  grade(session, "1");
  await Promise.all([session.submit(), session.submit(), session.submit()]);
  await settled(async () => expect((await dev("state")).reads).toHaveLength(1));
});

test("without a network reads are kept, in order, and sent when it is back", async () => {
  const session = await tab("knee");
  await settled(() => expect(session.store.state.saved).toBe("saved"));
  around.network = false;
  grade(session, "3");
  await session.submit();
  grade(session, "4");
  await settled(() => expect(session.store.state.saved).toBe("here"));
  around.network = true;
  await session.flush();
  await settled(async () => {
    const { reads, drafts } = await dev("state");
    expect(reads.map(({ answer }) => answer)).toEqual([{ grade: "3" }]);
    expect(drafts[session.store.state.task!.id]).toMatchObject({ answer: { grade: "4" } });
  });
});

test("a killed tab: the next one opens the same case with the draft", async () => {
  const session = await tab("knee");
  around.network = false; // the server never heard of it
  grade(session, "4");
  await settled(async () => {
    const draft = await (await openDatabase(around.factory)).draft("reader-1", session.store.state.task!.id);
    expect(draft?.work.answer).toEqual({ grade: "4" });
  });
  around.network = true;
  const again = await tab("knee");
  expect(again.store.state.task!.id).toBe(session.store.state.task!.id);
  expect(again.store.state.work.answer).toEqual({ grade: "4" });
});

test("a killed tab with reads on their way: the next one sends them, once", async () => {
  const session = await tab("knee");
  await session.flush();
  around.network = false;
  grade(session, "2");
  await session.submit();
  around.network = true;
  const again = await tab("knee");
  await settled(async () => expect((await dev("state")).reads).toHaveLength(1));
  expect(again.store.state.task!.id).not.toBe((await dev("state")).reads[0]!.task);
});

test("an answer that was lost on the way: the same read again is one row", async () => {
  const session = await tab("knee");
  grade(session, "2");
  let lost = 0;
  const real = globalThis.fetch;
  globalThis.fetch = async (path, init) => {
    const response = await real(path, init);
    if (String(path).endsWith("/submit") && lost++ < 3) throw new TypeError("cut");
    return response;
  };
  await session.submit();
  await settled(() => expect(session.store.state.waiting).toEqual([]));
  globalThis.fetch = real;
  expect(lost).toBeGreaterThan(2);
  expect((await dev("state")).reads).toHaveLength(1);
});

test("a session that ends keeps everything; after the log-in it is sent", async () => {
  const session = await tab("knee");
  await dev("set", { signedIn: false });
  grade(session, "1");
  await session.submit();
  await settled(() => expect(session.store.state.signedOut).toBe(true));
  expect(session.store.state.waiting).toHaveLength(1);
  await expect(session.login("a@b.c", "wrong")).rejects.toThrow();
  await session.login("a@b.c", "pass");
  expect(session.store.state.signedOut).toBe(false);
  await settled(async () => expect((await dev("state")).reads).toHaveLength(1));
  expect(session.store.state.phase).toBe("reading");
});

test("two tabs on one case: both versions are shown, each choice holds", async () => {
  const [one, two] = [await tab("knee"), await tab("knee", await openDatabase(new IDBFactory()))];
  grade(one, "1");
  await settled(() => expect(one.store.state.saved).toBe("saved"));
  grade(two, "3");
  await settled(() => expect(two.store.state.conflict?.theirs.answer).toEqual({ grade: "1" }));
  await two.submit();
  expect(two.store.state.hint).toContain("two versions");
  two.takeTheirs();
  expect(two.store.state.work.answer).toEqual({ grade: "1" });
  grade(one, "2");
  await settled(() => expect(one.store.state.saved).toBe("saved"));
  grade(two, "4");
  await settled(() => expect(two.store.state.conflict).not.toBeNull());
  two.keepMine();
  const id = two.store.state.task!.id;
  await settled(async () => expect((await dev("state")).drafts[id]).toMatchObject({ answer: { grade: "4" } }));
});

test("a correction is a new revision; an unchanged one is none", async () => {
  const session = await tab("knee");
  grade(session, "2");
  await session.submit();
  await session.previous();
  expect(session.store.state.revision).toBe(1);
  expect(session.store.state.work.answer).toEqual({ grade: "2" });
  await session.submit();
  expect((await dev("state")).reads).toHaveLength(1);
  await session.previous();
  grade(session, "3");
  await session.submit();
  await settled(async () => expect((await dev("state")).reads.map(({ revision, answer }) => [revision, answer]))
    .toEqual([[1, { grade: "2" }], [2, { grade: "3" }]]));
});

test("a correction made elsewhere first: the read is refused, kept, and opens again", async () => {
  const session = await tab("knee");
  grade(session, "2");
  await session.submit();
  const other = await tab("knee", await openDatabase(new IDBFactory()));
  await settled(async () => expect((await dev("state")).reads).toHaveLength(1));
  for (const each of [session, other]) await each.previous();
  grade(other, "3");
  await other.submit();
  await settled(async () => expect((await dev("state")).reads).toHaveLength(2));
  grade(session, "4");
  await session.submit();
  await settled(() => expect(session.store.state.refused).toHaveLength(1));
  await session.reopen(session.store.state.refused[0]!);
  expect(session.store.state.work.answer).toEqual({ grade: "4" });
  await session.submit();
  await settled(async () => expect((await dev("state")).reads.at(-1)).toMatchObject({ revision: 3, answer: { grade: "4" } }));
  expect(session.store.state.refused).toEqual([]);
});

test("all cases read: a calm end; an empty project: words", async () => {
  const session = await tab("knee");
  for (let i = 0; i < 8; i++) {
    grade(session, "0");
    await session.submit();
  }
  await settled(() => expect(session.store.state.phase).toBe("finished"));
  await settled(() => expect(session.store.state.waiting).toEqual([]));
  expect(session.store.state.progress).toMatchObject({ done: 8, total: 8 });
});

test("a store without room: the case stays open and says so", async () => {
  const database = await openDatabase(around.factory);
  const full: Database = { ...database, enqueue: () => Promise.reject(new Error("QuotaExceededError")) };
  const session = await tab("knee", full);
  const { task } = session.store.state;
  grade(session, "2");
  await session.submit();
  expect(session.store.state.task!.id).toBe(task!.id);
  expect(session.store.state.hint).toContain("no room left");
  expect(session.store.state.work.answer).toEqual({ grade: "2" });
});

test("without any browser store the page still works", async () => {
  const session = await tab("knee", await openDatabase(undefined));
  expect(session.store.state.lasting).toBe(false);
  grade(session, "2");
  await session.submit();
  await settled(async () => expect((await dev("state")).reads).toHaveLength(1));
});

test("a failing server is waited for", async () => {
  const session = await tab("knee");
  await dev("set", { fail: 507 });
  grade(session, "2");
  await session.submit();
  await dev("set", { fail: null });
  await settled(async () => expect((await dev("state")).reads).toHaveLength(1));
});

test("settings are kept for each reader", async () => {
  const session = await tab("knee");
  session.setSettings({ keys: { invert: "j" }, autoAdvance: false });
  await settled(async () => expect(await (await openDatabase(around.factory)).settings("reader-1"))
    .toMatchObject({ keys: { invert: "j" }, autoAdvance: false }));
  expect((await tab("knee")).store.state.settings.keys).toEqual({ invert: "j" });
});

test("keys during the way to the next case: back is kept, a change is not of the case that was sent", async () => {
  const session = await tab("knee");
  const first = session.store.state.task!.id;
  grade(session, "2");
  const sent = session.submit();
  grade(session, "3"); // too late for this case, too early for the next
  await Promise.all([sent, session.previous()]);
  expect(session.store.state).toMatchObject({ task: { id: first }, revision: 1, work: { answer: { grade: "2" } } });
  await settled(async () => expect((await dev("state")).reads.map(({ answer }) => answer)).toEqual([{ grade: "2" }]));
});
