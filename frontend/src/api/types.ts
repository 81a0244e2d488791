/** Shapes of the HTTP API (see the OpenAPI description of the server). */
import type { Answer, Flags, Question } from "../model/answer";
import type { Case } from "../model/case";

export interface Me {
  readonly id: string;
  readonly name: string;
  readonly role: "reader" | "lead" | "admin";
  readonly csrf: string;
}

export interface AtlasEntry {
  readonly id: string;
  readonly class: string | null;
  readonly do: boolean;
  readonly why: string;
  readonly image_url: string;
  readonly drawing: Answer | null;
}

export interface Protocol {
  readonly version: number;
  readonly title: string;
  readonly questions: readonly Question[];
  readonly guideline_html: string;
  readonly atlas: readonly AtlasEntry[];
}

export type { Progress } from "../model/progress";

/** What a reader has said so far; the server's copy. */
export interface Draft {
  readonly version: number;
  readonly answer: Answer;
  readonly flags: Flags;
  readonly comment: string;
  readonly seconds: number;
}

export interface Task {
  readonly id: string;
  readonly project: string;
  readonly lease_expires: string;
  readonly protocol_version: number;
  readonly case: Case;
  readonly draft: Draft | null;
}

export interface Submission {
  readonly read_id: string;
  readonly answer: Answer;
  readonly flags: Flags;
  readonly comment: string;
  readonly seconds: number;
  readonly base_revision: number;
  /** of the protocol that the page showed; the server takes the newest without it */
  readonly protocol_version?: number;
}

export interface Receipt {
  readonly read_id: string;
  readonly revision: number;
  readonly surplus: boolean;
}

export interface OwnRead {
  readonly read_id: string;
  readonly task: string;
  readonly case: Case;
  readonly revision: number;
  readonly answer: Answer;
  readonly flags: Flags;
  readonly comment: string;
  readonly submitted: string;
}

export interface ErrorBody {
  readonly error?: {
    readonly name?: string;
    readonly rule?: string;
    readonly got?: unknown;
    readonly remedy?: string | null;
  };
  readonly current?: Draft;
}
