/** A pre-label is an editable start, asked for or there at once; hints are never an answer. */
import { expect, test } from "vitest";
import { proposalWords } from "../src/page/proposal";
import { around, dev, grade, settled, tab } from "./tabs";

const PROPOSED = { "knee.knee-0": { grade: "2" }, "knee.knee-1": { grade: "3" } };
const place = { frame: 0, x1: 1, y1: 2, x2: 30, y2: 40, score: 0.7 };

async function first(project: string): Promise<string> {
  const session = await tab(project);
  const { id } = session.store.state.task!;
  session.farewell();
  return id;
}

test("asked for it fills what is not answered, in one step that can be undone", async () => {
  const id = await first("knee");
  await dev("set", { show: "on demand", proposed: { ...PROPOSED, [id]: { grade: "2" } } });
  const session = await tab("knee");
  expect(session.store.state.work.answer).toEqual({});
  await session.preLabels.ask();
  const { work, proposal } = session.store.state;
  expect(work.answer).toEqual({ grade: "2" });
  expect(proposal?.state).toBe("shown");
  expect(proposalWords(proposal)).toBe("Proposed by net 1.2, 83 % sure. It is a start: change what is wrong.");
  session.undo();
  expect(session.store.state.work.answer).toEqual({});
  session.redo();
  await session.preLabels.ask(); // again asks nobody
  await session.submit();
  await settled(async () => expect((await dev("state"))).toMatchObject({
    reads: [{ task: id, answer: { grade: "2" } }], shown: [{ task: id, what: "pre-label", marked: false }] }));
  expect(session.store.state.proposal).toBeNull(); // the next case
});

test("what was said already stays, and the server is told that something was", async () => {
  const id = await first("knee");
  await dev("set", { show: "on demand", proposed: { [id]: { grade: "2" } } });
  const session = await tab("knee");
  grade(session, "4");
  await session.preLabels.ask();
  expect(session.store.state.work.answer).toEqual({ grade: "4" });
  expect(await dev("state")).toMatchObject({ shown: [{ marked: true }] });
});

test("shown at once it stands there when the case opens, and not again over a draft", async () => {
  const id = await first("knee");
  await dev("set", { show: "shown", proposed: { [id]: { grade: "2" } } });
  const session = await tab("knee");
  await settled(() => expect(session.store.state.work.answer).toEqual({ grade: "2" }));
  grade(session, "0");
  await session.flush();
  await settled(() => expect(session.store.state.saved).toBe("saved"));
  const again = await tab("knee");
  expect(again.store.state.work.answer).toEqual({ grade: "0" });
  await new Promise((go) => setTimeout(go, 60));
  expect(again.store.state.work.answer).toEqual({ grade: "0" });
});

test("hidden it is neither asked for nor given", async () => {
  const id = await first("knee");
  await dev("set", { show: "hidden", proposed: { [id]: { grade: "2" } } });
  const session = await tab("knee");
  await session.preLabels.ask();
  expect(session.store.state.work.answer).toEqual({});
  expect(session.store.state.hint).toBe("Pre-labels are hidden here.");
  expect(await dev("state")).toMatchObject({ shown: [] });
});

test("without a network one reads without, and may ask again", async () => {
  const id = await first("knee");
  await dev("set", { show: "on demand", proposed: { [id]: { grade: "2" } } });
  const session = await tab("knee");
  around.network = false;
  await session.preLabels.ask();
  expect(session.store.state.proposal).toBeNull();
  around.network = true;
  await session.preLabels.ask();
  expect(session.store.state.work.answer).toEqual({ grade: "2" });
});

test("a case without one says so", async () => {
  await dev("set", { show: "on demand", proposed: {} });
  const session = await tab("knee");
  await session.preLabels.ask();
  expect(proposalWords(session.store.state.proposal)).toBe("There is no pre-label for this case.");
});

test("hints come and go by one key, and answer nothing", async () => {
  await dev("set", { places: [place] });
  const session = await tab("fracture");
  await session.preLabels.toggleHints();
  expect(session.store.state).toMatchObject({ hints: [place], hintsOn: true });
  await session.preLabels.toggleHints();
  expect(session.store.state.hintsOn).toBe(false);
  expect(session.store.state.work.answer).toEqual({});
});
