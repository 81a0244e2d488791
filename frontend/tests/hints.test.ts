/** A hint becomes an ordinary box that the reader changes, and whose id tells what it was. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Box, Question } from "../src/model/answer";
import { hintId, nextPlace, placeUnder, withHint } from "../src/state/hints";
import type { Session } from "../src/state/session";
import { dev, settled, tab } from "./tabs";

const large = { frame: 0, x1: 10, y1: 20, x2: 110, y2: 140, score: 0.7 };
const small = { frame: 0, x1: 40, y1: 40, x2: 60.25, y2: 70, score: 0.4 };
const asked: Question = { id: "q", prompt: "?", kind: "box", classes: [], low: null, high: null, required: false };
const drawn = (session: Session): readonly Box[] => (session.store.state.work.answer["fractures"] ?? []) as readonly Box[];

async function hinted(places: readonly unknown[] = [large, small]): Promise<Session> {
  await dev("set", { places });
  return tab("fracture");
}

test("keys step through the hints and make the chosen one a box of the class in use", async () => {
  const session = await hinted();
  const { store, preLabels } = session;
  await preLabels.nextHint(); // shows them, too
  expect(store.state).toMatchObject({ hintsOn: true, hintChosen: 0 });
  await preLabels.nextHint();
  expect(store.state.hintChosen).toBe(1);
  store.set({ classes: { fractures: "Old fracture" } });
  preLabels.takeHint();
  const { score: _, ...sides } = small;
  expect(drawn(session)).toEqual([{ id: "hint-2", class: "Old fracture", ...sides }]);
  expect(store.state.selected).toBe("hint-2");
  preLabels.takeHint(); // a second press is not a second box
  expect(drawn(session)).toHaveLength(1);
  await preLabels.nextHint(); // what is a box by now is passed over
  expect(store.state).toMatchObject({ hintChosen: 0, selected: null });
  preLabels.takeHint();
  await preLabels.nextHint();
  expect(store.state).toMatchObject({ hintChosen: null, hint: "Every hint is a box by now." });
});

test("it is one step that can be undone, saved as a draft and sent like a drawn box", async () => {
  const session = await hinted();
  await session.preLabels.nextHint();
  session.preLabels.takeHint();
  session.undo();
  expect(drawn(session)).toEqual([]);
  session.redo();
  expect(drawn(session).map(({ id }) => id)).toEqual(["hint-1"]);
  await session.flush();
  await settled(() => expect(session.store.state.saved).toBe("saved"));
  const { id } = session.store.state.task!;
  expect((await dev("state")).drafts[id]).toMatchObject({ answer: { fractures: [{ id: "hint-1" }] } });
  const again = await tab("fracture"); // after a reload the same hints, and the box is one of them still
  await again.preLabels.nextHint();
  expect(again.store.state.hintChosen).toBe(1);
  await again.submit();
  await settled(async () => expect((await dev("state")).reads).toMatchObject([
    { task: id, answer: { fractures: [{ id: "hint-1", x1: 10, y2: 140 }] } }]));
  expect(again.store.state).toMatchObject({ hints: null, hintsOn: false, hintChosen: null }); // the next case
});

test("hints that are hidden, or off, become nothing", async () => {
  const session = await hinted();
  session.preLabels.takeHint(0); // nobody has asked for them
  expect(session.store.state.hint).toBe("First choose a hint.");
  await session.preLabels.nextHint();
  await session.preLabels.toggleHints();
  expect(session.preLabels.hintUnder({ x: 50, y: 50 })).toBeNull();
  session.preLabels.takeHint(0);
  expect(drawn(session)).toEqual([]);
  await dev("reset"); // the protocol hides them
  const blind = await tab("fracture");
  await blind.preLabels.nextHint();
  expect(blind.store.state).toMatchObject({ hints: null, hintChosen: null, hint: "There is no hint layer here." });
  blind.preLabels.takeHint(0);
  expect(drawn(blind)).toEqual([]);
});

test("a read that is corrected has no hints, and a grade cannot be one", async () => {
  const session = await hinted([{ ...large, x2: 1e6 }]);
  await session.preLabels.nextHint();
  session.preLabels.takeHint();
  expect(drawn(session)[0]!.x2).toBe(session.store.state.task!.case.columns); // in the image
  await session.submit();
  await session.previous();
  expect(session.store.state.revision).toBe(1);
  session.preLabels.takeHint(0);
  expect(session.store.state.hint).toBe("There is no hint layer here.");
  const grades = await tab("knee");
  await grades.preLabels.nextHint();
  grades.preLabels.takeHint();
  expect(grades.store.state).toMatchObject({
    hintChosen: 0, work: { answer: {} }, hint: "Hints become boxes; this question asks for none." });
});

test("under a point lies the smallest hint that is no box yet", () => {
  const hints = [large, small];
  const at = { x: 50, y: 50 };
  expect(placeUnder(hints, {}, asked, 0, at)).toBe(1);
  expect(placeUnder(hints, {}, asked, 1, at)).toBeNull();
  expect(placeUnder(hints, {}, asked, 0, { x: 5, y: 50 })).toBeNull();
  const answer = withHint({}, asked, small, 1, "a", { width: 500, height: 500 });
  expect(placeUnder(hints, answer, asked, 0, at)).toBe(0);
});

test("stepping meets every hint once before it ends", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: -1, max: 8 }), (count, start) => {
    const hints = Array.from({ length: count }, () => large);
    const size = { width: 500, height: 500 };
    let [answer, place] = [{}, start < 0 ? null : start % count];
    const met: string[] = [];
    for (place = nextPlace(hints, answer, asked, place); place !== null;
      place = nextPlace(hints, answer, asked, place)) {
      met.push(hintId(place));
      answer = withHint(answer, asked, hints[place]!, place, "a", size);
    }
    expect(new Set(met).size).toBe(count);
    expect(met).toHaveLength(count);
  }));
});
