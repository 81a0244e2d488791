/** What a drawing tool is, and what it may use. */
import type { Affine, Point, Size } from "../model/affine";
import type { Question } from "../model/answer";
import type { Session } from "../state/session";

/** A pointer event in image pixels. */
export interface Hit {
  readonly at: Point;
  /** The places passed since the last event, in order; the last is `at`. */
  readonly way: readonly Point[];
  /** Canvas (CSS) pixels. */
  readonly canvas: Point;
  readonly alt: boolean;
  readonly shift: boolean;
  /** 1 for a click, 2 for a double click. */
  readonly clicks: number;
}

export interface Bench {
  readonly session: Session;
  image(): Size;
  /** Image pixels in `css` canvas pixels: how near is near for a hand. */
  reach(css: number): number;
  toCanvas(): Affine;
  newId(): string;
  redraw(): void;
}

export interface Tool {
  down(hit: Hit): void;
  move(hit: Hit): void;
  up(hit: Hit): void;
  /** The pointer moves with no button pressed. */
  hover(hit: Hit): void;
  /** Give up what is half done; true when there was something. */
  cancel(): boolean;
  /** Finish what is half done, as before a submit. */
  finish(): void;
  /** Draw what is not yet part of the answer. */
  draw(context: CanvasRenderingContext2D): void;
  readonly cursor: string;
}

/** The question at hand, where it is of the kind asked for. */
export function questionOf(session: Session, kind: Question["kind"]): Question | null {
  const { protocol, question } = session.store.state;
  const found = protocol?.questions[question];
  return found?.kind === kind ? found : null;
}

export function classOf(session: Session, question: Question): string {
  return session.store.state.classes[question.id] ?? question.classes[0]?.name ?? "";
}

export function colourOf(question: Question, name: string): string {
  const index = question.classes.findIndex((each) => each.name === name);
  return question.classes[index]?.colour ?? PALETTE[Math.max(0, index) % PALETTE.length]!;
}

/** Reader palette of the design language, for classes without a colour of their own. */
const PALETTE = ["#56b4e9", "#e69f00", "#00a67c", "#f0e442", "#d68bb5", "#dd5f0a", "#3b7fd9", "#c3c8d0"];
