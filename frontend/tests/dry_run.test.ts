/** A dry run against the development server: the gate, the right answers, a dispute, no network. */
import { expect, test } from "vitest";
import type { Session } from "../src/state/session";
import { around, dev, grade, settled, tab } from "./tabs";

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
  around.network = false;
  await step(session, "2");
  expect(store.state.hint).toMatch(/kept here/);
  expect(store.state.review).toBeNull();
  around.network = true;
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
