/** A look before sending: told once a case, followed or not, and never in the way. */
import { expect, test } from "vitest";
import { openLook } from "../src/state/look";
import { NO_FLAGS } from "../src/model/answer";
import { around, dev, settled, tab } from "./tabs";
import type { Protocol } from "../src/api/types";

const box = (id: string, x1: number) => ({ id, class: "Fracture", frame: 0, x1, y1: 10, x2: 90, y2: 80 });
const answer = (...boxes: ReturnType<typeof box>[]) => ({ fractures: boxes });
const WORDS = "Box 1: much of it looks like background.";

test("a hint holds the read once, and what came of it goes with the read", async () => {
  await dev("set", { told: { fractures: { 0: WORDS } } });
  const session = await tab("fracture");
  session.change({ answer: answer(box("a", 10), box("b", 20)) });
  await session.submit();
  expect(session.store.state.told.map(({ words }) => words)).toEqual([WORDS]);
  expect(session.store.state.selected).toBe("a");
  expect((await dev("state")).reads).toEqual([]);
  session.change({ answer: answer(box("a", 30), box("b", 20)) }); // it is followed, and goes
  expect(session.store.state.told).toEqual([]);
  await session.submit();
  await settled(async () => expect((await dev("state")).reads).toMatchObject([
    { advice: [{ question: "fractures", rule: "loose-contour", finding: "a", followed: true }] }]));
  expect(session.store.state.told).toEqual([]);
});

test("sent again it is sent as it is", async () => {
  await dev("set", { told: { fractures: { 0: WORDS } } });
  const session = await tab("fracture");
  session.change({ answer: answer(box("a", 10)) });
  await session.submit();
  await session.submit();
  await settled(async () => expect((await dev("state")).reads).toMatchObject([
    { answer: answer(box("a", 10)), advice: [{ finding: "a", followed: false }] }]));
});

test("without a network it is sent without a look", async () => {
  await dev("set", { told: { fractures: { 0: WORDS } } });
  const session = await tab("fracture");
  session.change({ answer: answer(box("a", 10)) });
  around.network = false;
  await session.submit();
  expect(session.store.state.told).toEqual([]);
  expect(session.store.state.waiting).toHaveLength(1);
});

test("nobody waits for a look that takes long", async () => {
  const session = await tab("fracture");
  await dev("set", { told: { fractures: { 0: WORDS } }, slow: 60_000 });
  session.change({ answer: answer(box("a", 10)) });
  await session.submit(); // the test would end before the look does
  expect(session.store.state.told).toEqual([]);
});

test("only what is looked at is asked about, and what cannot be read is not", async () => {
  const asked: string[] = [];
  const look = openLook({ check: async (task) => { asked.push(task); return { looked: true, hints: [] }; } });
  const protocol = { version: 1, looked_at: ["fractures"] } as unknown as Protocol;
  await look.before("t1", protocol, answer(), NO_FLAGS);
  await look.before("t2", protocol, { grade: "2" }, NO_FLAGS);
  await look.before("t3", protocol, answer(box("a", 1)), { ...NO_FLAGS, cannot_be_read: true });
  await look.before("t4", protocol, answer(box("a", 1)), NO_FLAGS);
  expect(asked).toEqual(["t4"]);
  expect(look.advice("t4", answer())).toEqual([]);
});
