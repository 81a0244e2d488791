/** Reads on their way to the server: kept until acknowledged, sent again and again, in order. */
import { ApiError, type Api } from "../api/client";
import type { Receipt } from "../api/types";
import type { Database, Sending } from "./database";

export interface OutboxNews {
  changed(): void;
  signedOut(): void;
  acknowledged(sending: Sending, receipt: Receipt | null): void;
}

export interface Outbox {
  readonly waiting: readonly Sending[];
  /** Kept, but the server will not take them as they are. */
  readonly refused: readonly Sending[];
  /** Load what an earlier tab left. */
  open(): Promise<void>;
  /** Resolves once the sending is safe in the browser's store, before it is sent. */
  add(sending: Sending): Promise<void>;
  replace(sending: Sending): Promise<void>;
  drop(id: string): Promise<void>;
  /** Try now: after a log-in, when the network is back. */
  flush(): Promise<void>;
}

export interface Later {
  (act: () => void, ms: number): void;
}

const FIRST_MS = 1000;
const LONGEST_MS = 30_000;

export function openOutbox(
  user: string, api: Api, database: Database, news: OutboxNews, later: Later,
): Outbox {
  let items: Sending[] = [];
  let busy: Promise<void> | null = null;
  let pause = FIRST_MS;

  async function sendAll(): Promise<void> {
    for (;;) {
      const item = items.find((each) => each.refused === null && isFirst(each, items));
      if (!item) return;
      try {
        const receipt = await sendOne(item);
        await database.dropSending(item.id);
        items = items.filter((each) => each.id !== item.id);
        pause = FIRST_MS;
        news.acknowledged(item, receipt);
        news.changed();
      } catch (reason) {
        if (!(await kept(item, reason))) return;
      }
    }
  }

  function sendOne(item: Sending): Promise<Receipt | null> {
    if ("submit" in item.what) return api.submit(item.task, item.what.submit);
    return api.skip(item.task, item.what.skip).then(() => null);
  }

  /** Decide after a failure; true where the next item may be tried. */
  async function kept(item: Sending, reason: unknown): Promise<boolean> {
    const failure = reason instanceof ApiError ? reason.failure : "offline";
    if (failure === "signed-out") {
      news.signedOut();
      return false;
    }
    if (failure === "offline") {
      later(() => void self.flush(), pause);
      pause = Math.min(LONGEST_MS, pause * 2);
      news.changed();
      return false;
    }
    const { message, body } = reason as ApiError;
    await self.replace({ ...item, refused: message, theirs: body.current ?? null });
    return true;
  }

  const self: Outbox = {
    get waiting() { return items.filter((each) => each.refused === null); },
    get refused() { return items.filter((each) => each.refused !== null); },
    async open() {
      items = await database.sendings(user);
      news.changed();
    },
    async add(sending) {
      await database.enqueue(sending);
      items = [...items, sending];
      news.changed();
      void self.flush();
    },
    async replace(sending) {
      await database.putSending(sending);
      items = items.map((each) => (each.id === sending.id ? sending : each));
      news.changed();
    },
    async drop(id) {
      await database.dropSending(id);
      items = items.filter((each) => each.id !== id);
      news.changed();
    },
    flush() {
      busy ??= sendAll().finally(() => { busy = null; });
      return busy;
    },
  };
  return self;
}

/** A correction waits for the read that it corrects. */
function isFirst(item: Sending, all: readonly Sending[]): boolean {
  return !all.some((each) => each.task === item.task && each.order < item.order);
}
