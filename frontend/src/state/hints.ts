/**
 * A hint that becomes a box: its id tells the server which of the hints it was, as the box of a
 * pre-label keeps the id it was proposed with. What is changed of it afterwards is told by the two.
 */
import type { Hint } from "../api/types";
import type { Point, Size } from "../model/affine";
import { boxes, withValue, type Answer, type Question } from "../model/answer";
import { corners } from "../model/shapes";

/** Id of a box that was the hint at this place of those that were shown. */
export const hintId = (place: number): string => `hint-${place + 1}`;

/** Whether the hint at a place is a box of this question by now. */
export function isTaken(answer: Answer, question: Question | undefined, place: number): boolean {
  return question?.kind === "box" && boxes(answer, question.id).some(({ id }) => id === hintId(place));
}

/** The next place, round and round, whose hint is no box yet; null where all are. */
export function nextPlace(
  hints: readonly Hint[], answer: Answer, question: Question | undefined, after: number | null,
): number | null {
  const from = after === null ? 0 : after + 1;
  const round = hints.map((_, step) => (from + step) % hints.length);
  return round.find((place) => !isTaken(answer, question, place)) ?? null;
}

/** The smallest hint of a frame that a point lies in and that is no box yet; null for none. */
export function placeUnder(
  hints: readonly Hint[], answer: Answer, question: Question | undefined, frame: number, at: Point,
): number | null {
  const size = (place: number): number => {
    const { x1, y1, x2, y2 } = hints[place]!;
    return (x2 - x1) * (y2 - y1);
  };
  const under = hints.flatMap((one, place) => {
    const within = one.frame === frame && at.x >= one.x1 && at.x <= one.x2 && at.y >= one.y1 && at.y <= one.y2;
    return within && !isTaken(answer, question, place) ? [place] : [];
  });
  return under.toSorted((a, b) => size(a) - size(b))[0] ?? null;
}

/** The answer with the hint at a place as a box of a class. */
export function withHint(
  answer: Answer, question: Question, hint: Hint, place: number, name: string, image: Size,
): Answer {
  const sides = corners({ x: hint.x1, y: hint.y1 }, { x: hint.x2, y: hint.y2 }, image);
  const box = { id: hintId(place), class: name, frame: hint.frame, ...sides };
  return withValue(answer, question.id, [...boxes(answer, question.id), box]);
}
