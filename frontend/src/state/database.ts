/** The browser's own store (IndexedDB): what a reader does is here before anything else happens. */
import type { Draft, Submission } from "../api/types";
import type { Work } from "../model/answer";
import type { Case } from "../model/case";

export interface LocalDraft {
  readonly user: string;
  readonly task: string;
  readonly project: string;
  readonly work: Work;
  readonly seconds: number;
  /** The server's version that this was built on. */
  readonly base: number;
  /** Whether the server has not yet all of it. */
  readonly dirty: boolean;
  /** The revision that this corrects; 0 for a first read. */
  readonly revision: number;
  /** An outline that is not closed yet. */
  readonly open: OpenRing | null;
}

export interface OpenRing {
  readonly question: string;
  readonly class: string;
  readonly frame: number;
  readonly points: readonly (readonly [number, number])[];
}

export interface Sending {
  readonly id: string;
  readonly user: string;
  readonly project: string;
  readonly task: string;
  readonly case: Case;
  readonly order: number;
  readonly what: { readonly submit: Submission } | { readonly skip: string };
  /** Why the server will not take it; it stays here until the reader has decided. */
  readonly refused: string | null;
  readonly theirs: Draft | null;
}

export interface Settings {
  readonly user: string;
  readonly keys: Readonly<Record<string, string>>;
  readonly autoAdvance: boolean;
}

export interface Database {
  /** Whether it outlives the tab; false where the browser denies storage. */
  readonly lasting: boolean;
  draft(user: string, task: string): Promise<LocalDraft | undefined>;
  putDraft(draft: LocalDraft): Promise<void>;
  dropDraft(user: string, task: string): Promise<void>;
  sendings(user: string): Promise<Sending[]>;
  /** Put into the outbox and drop the draft, both or neither. */
  enqueue(sending: Sending): Promise<void>;
  putSending(sending: Sending): Promise<void>;
  dropSending(id: string): Promise<void>;
  settings(user: string): Promise<Settings | undefined>;
  putSettings(settings: Settings): Promise<void>;
}

const NAME = "overread-reading";

export async function openDatabase(factory: IDBFactory | undefined): Promise<Database> {
  if (!factory) return inMemory();
  try {
    return onDisk(await opened(factory));
  } catch {
    return inMemory();
  }
}

function opened(factory: IDBFactory): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = factory.open(NAME, 1);
    request.addEventListener("upgradeneeded", () => {
      request.result.createObjectStore("drafts", { keyPath: ["user", "task"] });
      request.result.createObjectStore("outbox", { keyPath: "id" });
      request.result.createObjectStore("settings", { keyPath: "user" });
    });
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error));
  });
}

function onDisk(base: IDBDatabase): Database {
  function run<T>(
    stores: string[], mode: IDBTransactionMode, act: (tx: IDBTransaction) => IDBRequest<T> | void,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      // "strict": on disk, not only in the browser's memory, when the promise resolves.
      const tx = base.transaction(stores, mode, { durability: "strict" });
      const request = act(tx);
      tx.addEventListener("complete", () => resolve((request ? request.result : undefined) as T));
      tx.addEventListener("error", () => reject(tx.error));
      tx.addEventListener("abort", () => reject(tx.error));
    });
  }
  const put = (store: string, value: unknown): Promise<void> =>
    run<void>([store], "readwrite", (tx) => { tx.objectStore(store).put(value); });
  const drop = (store: string, key: IDBValidKey): Promise<void> =>
    run<void>([store], "readwrite", (tx) => { tx.objectStore(store).delete(key); });
  const get = <T>(store: string, key: IDBValidKey): Promise<T | undefined> =>
    run([store], "readonly", (tx) => tx.objectStore(store).get(key) as IDBRequest<T | undefined>);

  return {
    lasting: true,
    draft: (user, task) => get("drafts", [user, task]),
    putDraft: (draft) => put("drafts", draft),
    dropDraft: (user, task) => drop("drafts", [user, task]),
    async sendings(user) {
      const all = await run(["outbox"], "readonly",
        (tx) => tx.objectStore("outbox").getAll() as IDBRequest<Sending[]>);
      return all.filter((each) => each.user === user).sort((a, b) => a.order - b.order);
    },
    enqueue: (sending) => run<void>(["outbox", "drafts"], "readwrite", (tx) => {
      tx.objectStore("outbox").put(sending);
      tx.objectStore("drafts").delete([sending.user, sending.task]);
    }),
    putSending: (sending) => put("outbox", sending),
    dropSending: (id) => drop("outbox", id),
    settings: (user) => get("settings", user),
    putSettings: (settings) => put("settings", settings),
  };
}

/** Where the browser denies storage: the page still works, and says that nothing outlives the tab. */
function inMemory(): Database {
  const drafts = new Map<string, LocalDraft>();
  const outbox = new Map<string, Sending>();
  const settings = new Map<string, Settings>();
  const key = (user: string, task: string): string => `${user}\n${task}`;
  return {
    lasting: false,
    draft: async (user, task) => drafts.get(key(user, task)),
    putDraft: async (draft) => { drafts.set(key(draft.user, draft.task), draft); },
    dropDraft: async (user, task) => { drafts.delete(key(user, task)); },
    sendings: async (user) => [...outbox.values()]
      .filter((each) => each.user === user).sort((a, b) => a.order - b.order),
    enqueue: async (sending) => {
      outbox.set(sending.id, sending);
      drafts.delete(key(sending.user, sending.task));
    },
    putSending: async (sending) => { outbox.set(sending.id, sending); },
    dropSending: async (id) => { outbox.delete(id); },
    settings: async (user) => settings.get(user),
    putSettings: async (one) => { settings.set(one.user, one); },
  };
}
