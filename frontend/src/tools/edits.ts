/** Changes of findings without a pointer. Pure: an answer in, an answer out. */
import type { Size } from "../model/affine";
import { boxes, instances, masks, withValue, type Answer, type Box, type Instance, type Question } from "../model/answer";
import { dragGrip, movedRing } from "../model/shapes";

export type Finding = Box | Instance;

/** The findings of a question, where it has findings. */
export function findingsOf(answer: Answer, question: Question): readonly Finding[] {
  if (question.kind === "box") return boxes(answer, question.id);
  return question.kind === "instance" ? instances(answer, question.id) : [];
}

function withFindings(answer: Answer, question: Question, all: readonly Finding[]): Answer {
  return withValue(answer, question.id, all as readonly Box[] | readonly Instance[]);
}

export function without(answer: Answer, question: Question, id: string): Answer {
  return withFindings(answer, question, findingsOf(answer, question).filter((one) => one.id !== id));
}

/** The answer without the mask of one frame. */
export function withoutMask(answer: Answer, question: Question, frame: number): Answer {
  return withValue(answer, question.id,
    masks(answer, question.id).filter((each) => each.frame !== frame));
}

export function reclassed(answer: Answer, question: Question, id: string, name: string): Answer {
  return withFindings(answer, question, findingsOf(answer, question).map((one) =>
    (one.id === id ? { ...one, class: name } : one)));
}

/** Move a finding, or pull the lower right corner of a box. */
export function nudged(
  answer: Answer, question: Question, id: string, by: { dx: number; dy: number; resize: boolean },
  image: Size,
): Answer {
  return withFindings(answer, question, findingsOf(answer, question).map((one) => {
    if (one.id !== id) return one;
    if ("points" in one) return { ...one, points: movedRing(one.points, by.dx, by.dy, image) };
    return { ...one, ...dragGrip(one, by.resize ? "se" : "inside", by.dx, by.dy, image) };
  }));
}

/** The answer with the findings of the frame before on this one too, or null when there are none. */
export function copied(answer: Answer, question: Question, frame: number, newId: () => string): Answer | null {
  const { id, kind } = question;
  if (kind === "mask") {
    const all = masks(answer, id);
    const from = all.find((each) => each.frame === frame - 1);
    const others = all.filter((each) => each.frame !== frame);
    return from ? withValue(answer, id, [...others, { ...from, frame }].toSorted((a, b) => a.frame - b.frame)) : null;
  }
  const all = findingsOf(answer, question);
  const more = all.filter((one) => one.frame === frame - 1).map((one) => ({ ...one, id: newId(), frame }));
  return more.length ? withFindings(answer, question, [...all, ...more]) : null;
}
