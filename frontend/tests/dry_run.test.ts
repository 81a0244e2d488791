/** A reader's session against the development server: no network, no session, no room, two tabs. */
import "fake-indexeddb/auto";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { IDBFactory } from "fake-indexeddb";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { openApi } from "../src/api/client";
import { newId } from "../src/model/ids";
import { openDatabase, type Database } from "../src/state/database";
import { activeClock } from "../src/state/seconds";
import { openSession, type Session } from "../src/state/session";

let server: ChildProcess;
let base = "";
let factory = new IDBFactory();
let network = true;

beforeAll(async () => {
  server = spawn("node", ["dev/server.mjs"], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(server.stdout!, "data")) as [Buffer];
  base = line.toString().trim();
});
afterAll(() => { server.kill(); });
/** Ends every tab of the last test: a tab that is gone sends nothing and wakes no more. */
let life = new AbortController();
beforeEach(async () => {
  life.abort();
  life = new AbortController();
  factory = new IDBFactory();
  network = true;
  await dev("reset");
});

const dev = async (what: string, body: unknown = {}): Promise<{ reads: Read[]; drafts: Record<string, unknown> }> =>
  (await fetch(`${base}/dev/${what}`, { method: "POST", body: JSON.stringify(body) })).json() as never;
interface Read { task: string; answer: Record<string, unknown>; revision: number; read_id: string; seconds: number }

/** A tab: the same browser store, its own memory. */
async function tab(project: string, database?: Database): Promise<Session> {
  const { signal } = life;
  const send: typeof fetch = (path, init) =>
    network && !signal.aborted ? fetch(`${base}${String(path)}`, init) : Promise.reject(new TypeError("no network"));
  const session = openSession(project, {
    api: openApi(send),
    database: database ?? (await openDatabase(factory)),
    screen: {
      preload: async () => undefined, release: () => undefined,
      show: async () => undefined, setFrame: async () => undefined,
    },
    clock: activeClock(), now: () => performance.now(), newId,
    later: (act, ms) => void setTimeout(() => { if (!signal.aborted) act(); }, Math.min(ms, 20)),
  });
  await session.start();
  return session;
}

const settled = (check: () => void | Promise<void>): Promise<void> => vi.waitFor(check, { timeout: 4000, interval: 20 });
const grade = (session: Session, name: string): void => session.change({ answer: { grade: name } });


const step = async (session: Session, name: string): Promise<void> => {
  grade(session, name);
  await session.submit();
};

test("nobody reads before the dry run; the right answer comes after their own; other cases next time", async () => {
  const session = await tab("gated");
  const { store } = session;
  expect(store.state).toMatchObject({ phase: "gate", task: null, onboarding: { action: "begin" } });
  await session.begin();
  const first = store.state.task!.id;
  expect(store.state).toMatchObject({ phase: "reading", review: null, trial: { number: 1, cases: 2 } });
  await step(session, "3");
  expect(store.state.review).toMatchObject({ right: { grade: "2" }, marks: [{ right: false }] });
  grade(session, "2"); // too late
  expect(store.state.work.answer).toEqual({ grade: "3" });
  await session.submit();
  expect(store.state).toMatchObject({ review: null, trial: { number: 2 }, work: { answer: {} } });
  await step(session, "2");
  await session.submit();
  expect(store.state).toMatchObject({ phase: "gate", onboarding: { title: "Not passed yet" } });
  await session.begin();
  expect(store.state.task!.id).not.toBe(first);
  await step(session, "2");
  await session.submit();
  await step(session, "2");
  expect(store.state.onboarding).toMatchObject({ qualified: true });
  await session.submit();
  expect(store.state).toMatchObject({ phase: "reading", trial: null, review: null });
  await step(session, "1");
  await settled(async () => expect((await dev("state")).reads).toHaveLength(1));
});

test("an answer that could not be sent is kept, and counts once", async () => {
  const session = await tab("gated");
  const { store } = session;
  await session.begin();
  network = false;
  await step(session, "2");
  expect(store.state.hint).toMatch(/kept here/);
  expect(store.state.review).toBeNull();
  network = true;
  await session.submit();
  expect(store.state.review).toMatchObject({ marks: [{ right: true }] });
  expect(store.state.onboarding).toMatchObject({ done: 1 });
});

test("a reload goes on with the case and its draft; there is no way back and no skipping", async () => {
  const session = await tab("gated");
  await session.begin();
  grade(session, "4");
  session.farewell();
  await settled(async () => {
    const again = await tab("gated");
    expect(again.store.state).toMatchObject({ phase: "reading", work: { answer: { grade: "4" } } });
  });
  await session.previous();
  expect(session.store.state.hint).toMatch(/no way back/);
  await session.skip("no");
  expect(session.store.state.hint).toMatch(/no skipping/);
});

test("a reader may say that the right answer is wrong", async () => {
  const session = await tab("gated");
  await session.begin();
  await step(session, "3");
  await session.dispute("there is an osteophyte");
  const { disputes } = (await dev("state")) as unknown as { disputes: unknown[] };
  expect(disputes).toEqual([{ trial: "gated-trial-0", words: "there is an osteophyte" }]);
});
