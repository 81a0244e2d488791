/** What a reader says of one case. Values are immutable: every change makes a new answer. */
import type { Mask } from "./runs";
import type { Point } from "./affine";

export type Kind = "nominal" | "ordinal" | "multi-label" | "score" | "box" | "instance" | "mask";

export interface ClassEntry {
  readonly name: string;
  readonly code: number;
  readonly key: string | null;
  readonly colour: string | null;
}

export interface Question {
  readonly id: string;
  readonly prompt: string;
  readonly kind: Kind;
  readonly classes: readonly ClassEntry[];
  readonly low: number | null;
  readonly high: number | null;
  readonly required: boolean;
}

export interface Box {
  readonly id: string;
  readonly class: string;
  readonly frame: number;
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

export interface Instance {
  readonly id: string;
  readonly class: string;
  readonly frame: number;
  /** One closed ring; the first point is not repeated. */
  readonly points: readonly (readonly [number, number])[];
}

export type Value =
  string | number | readonly string[] | readonly Box[] | readonly Instance[] | readonly Mask[];
export type Answer = Readonly<Record<string, Value>>;

export interface Flags {
  readonly cannot_be_read: boolean;
  readonly ask_a_senior: boolean;
}

export const NO_FLAGS: Flags = { cannot_be_read: false, ask_a_senior: false };

/** All that is kept of a read while it is being made. */
export interface Work {
  readonly answer: Answer;
  readonly flags: Flags;
  readonly comment: string;
}

export const EMPTY_WORK: Work = { answer: {}, flags: NO_FLAGS, comment: "" };

export function isSpatial(kind: Kind): boolean {
  return kind === "box" || kind === "instance" || kind === "mask";
}

export function boxes(answer: Answer, question: string): readonly Box[] {
  return (answer[question] as readonly Box[] | undefined) ?? [];
}

export function instances(answer: Answer, question: string): readonly Instance[] {
  return (answer[question] as readonly Instance[] | undefined) ?? [];
}

export function masks(answer: Answer, question: string): readonly Mask[] {
  return (answer[question] as readonly Mask[] | undefined) ?? [];
}

export function withValue(answer: Answer, question: string, value: Value | undefined): Answer {
  const { [question]: _, ...rest } = answer;
  return value === undefined ? rest : { ...rest, [question]: value };
}

/** Add or take away one class of a multi-label answer; the order is the protocol's. */
export function toggled(answer: Answer, question: Question, name: string): Answer {
  const now = new Set((answer[question.id] as readonly string[] | undefined) ?? []);
  if (!now.delete(name)) now.add(name);
  const names = question.classes.map((each) => each.name).filter((each) => now.has(each));
  return withValue(answer, question.id, names);
}

/** Questions that still need an answer before the read can be sent. */
export function missing(questions: readonly Question[], work: Work): Question[] {
  if (work.flags.cannot_be_read) return [];
  return questions.filter((each) => {
    if (!each.required || isSpatial(each.kind) || each.kind === "multi-label") return false;
    return work.answer[each.id] === undefined;
  });
}

/**
 * The answer as it is sent. Looking and finding nothing is an answer: a list that was left
 * empty says "no finding" - unless the case cannot be read, where silence stays silence.
 */
export function toSend(questions: readonly Question[], work: Work): Answer {
  if (work.flags.cannot_be_read) return work.answer;
  const said: Record<string, Value> = {};
  for (const { id, kind } of questions) {
    const value = work.answer[id];
    if (value !== undefined) said[id] = value;
    else if (isSpatial(kind) || kind === "multi-label") said[id] = [];
  }
  return said;
}

/** A point as the answers keep it: a thousandth of a pixel is far below what a hand can do. */
export function rounded(at: Point): Point {
  return { x: Math.round(at.x * 1000) / 1000, y: Math.round(at.y * 1000) / 1000 };
}
