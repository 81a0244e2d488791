/** Shapes of the HTTP API, from the server's own description: schema.ts is generated (npm run schema). */
import type { components, operations, paths } from "./schema";

type Shapes = components["schemas"];

export type Me = Shapes["Me"];
export type AtlasEntry = Shapes["AtlasOut"];
export type Protocol = Shapes["ProtocolOut"];
export type Progress = Shapes["ProgressOut"];
/** What a reader has said so far; the server's copy. */
export type Draft = Shapes["DraftOut"];
/** What the page keeps of a task, and of an own read: it makes some itself, before the server knows. */
export type Task = Omit<Shapes["TaskOut"], "revision" | "asked"> & { readonly asked?: Asked | null };
/** Why a case is asked again ("adjudication", "protocol"), or that a senior decides on it ("decide"). */
export interface Asked {
  readonly why: string;
  readonly words: string;
}
export type Adjudication = Shapes["AdjudicationOut"];
export type Decision = Shapes["DecisionIn"];
export type Onboarding = Shapes["OnboardingOut"];
export type Trial = Shapes["TrialOut"];
export type TrialAnswer = Shapes["TrialIn"];
export type TrialResult = Shapes["TrialResultOut"];
/** What a model proposes; its answer is null where there is nothing for this reader and case. */
export type PreLabel = Shapes["PreLabelOut"];
/** A place that stands out. */
export type Hint = Shapes["HintOut"];
export type Receipt = Shapes["ReceiptOut"];
export type OwnRead = Omit<Shapes["OwnReadOut"], "event">;
/** One thing to look at again before an answer is sent. */
export type Told = Shapes["ToldOut"];
export type Looked = Shapes["CheckOut"];
/** A hint that was shown, and whether it was followed. */
export type Advice = Required<Shapes["AdviceIn"]>;
/** Without a protocol_version the server takes the newest. */
export type Submission = Omit<Shapes["SubmitIn"], "advice"> & { readonly advice?: readonly Advice[] };
/** An answer that is none may be cut short, or come from a proxy: nothing of it is certain. */
export type ErrorBody = { readonly error?: Partial<Shapes["ErrorBody"]> } &
  Partial<Pick<Shapes["ConflictOut"], "current">>;

/** JSON that an operation answers, and takes. */
export type Reply<Op extends keyof operations> =
  operations[Op]["responses"] extends { readonly 200: { content: { readonly "application/json": infer T } } } ? T : never;
export type Body<Op extends keyof operations> =
  operations[Op] extends { readonly requestBody: { readonly content: { readonly "application/json": infer T } } } ? T : never;

type Names<Path extends string> =
  Path extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;

/** An address of the API: the server's own path, its names filled in. */
export function at<Path extends keyof paths & string>(
  path: Path, names: Readonly<Record<Names<Path>, string>>,
): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent((names as Readonly<Record<string, string>>)[name] ?? ""));
}
