/** The one place that talks to the server. Every failure becomes an ApiError of a known sort. */
import type { operations } from "./schema";
import { at } from "./types";
import type {
  Adjudication, Decision,
  Body, Draft, ErrorBody, Hint, Looked, Me, Onboarding, OwnRead, PreLabel, Progress, Protocol, Receipt, Reply, Submission, Task,
  Trial, TrialAnswer, TrialResult,
} from "./types";

/**
 * offline: no answer, or one that says "later" - try again; signed-out: log in and try again;
 * conflict: somebody (another tab) was first; refused: sending the same again will not help.
 */
export type Failure = "offline" | "signed-out" | "conflict" | "refused";

export class ApiError extends Error {
  readonly failure: Failure;
  readonly status: number;
  readonly body: ErrorBody;

  constructor(failure: Failure, status: number, body: ErrorBody) {
    super(wording(status, body));
    [this.failure, this.status, this.body] = [failure, status, body];
  }
}

function wording(status: number, { error }: ErrorBody): string {
  if (!error?.rule) return status ? `The server answered ${status}.` : "The server cannot be reached.";
  const got = error.got === null || error.got === undefined ? "" : `; got ${String(error.got)}`;
  return `${error.name ?? "The request"} must ${error.rule}${got}. ${error.remedy ?? ""}`.trim();
}

export interface Api {
  me(): Promise<Me>;
  login(email: string, password: string): Promise<Me>;
  protocol(project: string): Promise<Protocol>;
  progress(project: string): Promise<Progress>;
  claim(project: string, count: number): Promise<readonly Task[]>;
  mine(project: string, limit: number): Promise<readonly OwnRead[]>;
  heartbeat(task: string): Promise<void>;
  saveDraft(task: string, draft: Draft, last?: boolean): Promise<number>;
  /** What to look at again before an answer is sent: soon, or a failure. */
  check(task: string, answer: Submission["answer"], version: number): Promise<Looked>;
  /** What a model proposes, where the protocol lets a reader see it; `marked`: something was said before. */
  preLabel(task: string, marked: boolean): Promise<PreLabel>;
  hints(task: string, marked: boolean): Promise<readonly Hint[]>;
  submit(task: string, read: Submission): Promise<Receipt>;
  skip(task: string, reason: string): Promise<void>;
  onboarding(project: string): Promise<Onboarding>;
  nextTrial(project: string, begin: boolean): Promise<{ trial: Trial | null; onboarding: Onboarding }>;
  answerTrial(trial: string, read: TrialAnswer): Promise<TrialResult>;
  dispute(trial: string, words: string): Promise<void>;
  adjudication(adjudication: string): Promise<Adjudication>;
  decide(adjudication: string, decision: Decision): Promise<void>;
  frame(url: string, signal: AbortSignal): Promise<ArrayBuffer>;
}

type Fetch = typeof fetch;
interface Ask {
  readonly method?: string;
  readonly body?: unknown;
  /** Sent while the page goes away. */
  readonly last?: boolean;
  readonly signal?: AbortSignal;
}

const PATIENCE_MS = 20_000;
/** A look before sending holds nobody longer. */
const CHECK_MS = 700;

export function openApi(send: Fetch = (...args) => fetch(...args)): Api {
  let csrf = "";

  async function once(path: string, ask: Ask): Promise<Response> {
    const headers: Record<string, string> = { Accept: "application/json" };
    if (ask.body !== undefined) headers["Content-Type"] = "application/json";
    if (ask.method) headers["X-CSRF-Token"] = csrf;
    try {
      return await send(path, {
        method: ask.method ?? "GET",
        headers,
        credentials: "same-origin",
        keepalive: ask.last ?? false,
        signal: ask.signal ?? AbortSignal.timeout(PATIENCE_MS),
        ...(ask.body === undefined ? {} : { body: JSON.stringify(ask.body) }),
      });
    } catch {
      throw new ApiError("offline", 0, {});
    }
  }

  async function request(path: string, ask: Ask = {}): Promise<Response> {
    let response = await once(path, ask);
    if (response.status === 403 && ask.method && path !== "/api/login") {
      // A log-in in another tab gives a new token; take it and try once more.
      await me();
      response = await once(path, ask);
    }
    if (response.ok) return response;
    const body = (await response.json().catch(() => ({}))) as ErrorBody;
    throw new ApiError(failureOf(response.status), response.status, body);
  }

  async function ask<T>(path: string, what: Ask = {}): Promise<T> {
    const response = await request(path, what);
    return (await response.json().catch(() => {
      throw new ApiError("offline", response.status, {});
    })) as T;
  }

  const post = <Op extends keyof operations>(path: string, body: Body<Op>): Promise<Reply<Op>> =>
    ask<Reply<Op>>(path, { method: "POST", body });
  const known = (who: Me): Me => { csrf = who.csrf; return who; };
  const me = async (): Promise<Me> => known(await ask<Reply<"whoAmI">>(at("/api/me", {})));

  return {
    me,
    login: async (email, password) => known(await post<"logIn">(at("/api/login", {}), { email, password })),
    protocol: (project) => ask<Reply<"getProtocol">>(at("/api/projects/{project}/protocol", { project })),
    progress: (project) => ask<Reply<"getMyProgress">>(at("/api/projects/{project}/progress", { project })),
    claim: async (project, count) =>
      (await post<"claimTasks">(at("/api/projects/{project}/claim", { project }), { count })).tasks,
    mine: (project, limit) =>
      ask<Reply<"listMyReads">>(`${at("/api/projects/{project}/reads/mine", { project })}?limit=${limit}`),
    heartbeat: async (task) => {
      await ask<Reply<"keepLease">>(at("/api/tasks/{task}/heartbeat", { task }), { method: "POST", body: {} });
    },
    saveDraft: async (task, draft, last = false) => {
      const body: Body<"saveDraft"> = draft;
      const what = { method: "PUT", body, last };
      return (await ask<Reply<"saveDraft">>(at("/api/tasks/{task}/draft", { task }), what)).version;
    },
    check: (task, answer, version) => {
      const body: Body<"checkAnswer"> = { answer, protocol_version: version };
      const what = { method: "POST", body, signal: AbortSignal.timeout(CHECK_MS) };
      return ask<Reply<"checkAnswer">>(at("/api/tasks/{task}/check", { task }), what);
    },
    preLabel: (task, marked) => post<"askPreLabel">(at("/api/tasks/{task}/pre-label", { task }), { marked }),
    hints: async (task, marked) =>
      (await post<"askHints">(at("/api/tasks/{task}/hints", { task }), { marked })).hints,
    submit: (task, read) =>
      post<"submitRead">(at("/api/tasks/{task}/submit", { task }), { ...read, advice: read.advice ?? [] }),
    skip: async (task, reason) => { await post<"skipTask">(at("/api/tasks/{task}/skip", { task }), { reason }); },
    onboarding: (project) =>
      ask<Reply<"getMyOnboarding">>(at("/api/projects/{project}/onboarding", { project })),
    nextTrial: (project, begin) =>
      post<"nextTrial">(at("/api/projects/{project}/dry-run", { project }), { begin }),
    answerTrial: (trial, read) => post<"submitTrial">(at("/api/trials/{trial}/submit", { trial }), read),
    dispute: async (trial, words) => {
      await post<"disputeGold">(at("/api/trials/{trial}/dispute", { trial }), { words });
    },
    adjudication: (adjudication) =>
      ask<Reply<"getAdjudication">>(at("/api/adjudications/{adjudication}", { adjudication })),
    decide: async (adjudication, decision) => {
      await post<"decideCase">(at("/api/adjudications/{adjudication}/decide", { adjudication }), decision);
    },
    frame: async (url, signal) => (await request(url, { signal })).arrayBuffer(),
  };
}

export function failureOf(status: number): Failure {
  if (status === 401) return "signed-out";
  if (status === 409) return "conflict";
  // 429 and 507 (rate, disk) pass; so do the faults of the server itself.
  if (status === 408 || status === 425 || status === 429 || status >= 500) return "offline";
  return "refused";
}
