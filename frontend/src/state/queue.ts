/** The cases ahead: claimed early and loaded early, so that the next one is there when it is wanted. */
import { ApiError, type Api } from "../api/client";
import type { Task } from "../api/types";
import type { Case } from "../model/case";

/** What the queue needs of the viewer. */
export interface Images {
  preload(of: Case): Promise<void>;
  release(of: Case): void;
}

export interface Queue {
  readonly ahead: readonly Task[];
  /** The next case, or null when there is none now. */
  next(): Promise<Task | null>;
  /** Put a case back to the front (the reader went back to an earlier one). */
  putBack(task: Task): void;
  /** This task is finished here, whatever the server still thinks. */
  finish(task: string): void;
  /** Claim and load the cases ahead; failures are tried again at the next call. */
  refill(current: Task | null): Promise<void>;
}

const AHEAD = 2;
const MOST_PER_CLAIM = 5;

/** Reads on their way: the server still counts their cases as unfinished, and offers them again. */
export interface OnTheWay {
  readonly waiting: readonly unknown[];
  flush(): Promise<void>;
}

export function openQueue(project: string, api: Api, images: Images, onTheWay: OnTheWay): Queue {
  let ahead: Task[] = [];
  const finished = new Set<string>();
  let claiming: Promise<void> | null = null;

  async function claim(current: Task | null): Promise<void> {
    const count = Math.min(MOST_PER_CLAIM, AHEAD + 1 + (current ? 1 : 0) + onTheWay.waiting.length);
    const tasks = await api.claim(project, count);
    const here = new Set(ahead.map(({ id }) => id));
    if (current) here.add(current.id);
    ahead = [...ahead, ...tasks.filter(({ id }) => !here.has(id) && !finished.has(id))];
  }

  function claimed(current: Task | null): Promise<void> {
    claiming ??= claim(current).finally(() => { claiming = null; });
    return claiming;
  }

  const self: Queue = {
    get ahead() { return ahead; },
    async next() {
      if (ahead.length === 0) await claimed(null);
      if (ahead.length === 0 && onTheWay.waiting.length > 0) {
        await onTheWay.flush();
        await claimed(null);
      }
      return ahead.shift() ?? null;
    },
    putBack(task) {
      if (!ahead.some(({ id }) => id === task.id)) ahead = [task, ...ahead];
    },
    finish(task) {
      finished.add(task);
      ahead = ahead.filter(({ id }) => id !== task);
    },
    async refill(current) {
      try {
        if (ahead.length < AHEAD) await claimed(current);
      } catch (reason) {
        // The cases at hand can still be read; the next refill or the next case tries again.
        if (!(reason instanceof ApiError)) throw reason;
      }
      for (const task of ahead.slice(0, AHEAD)) {
        await images.preload(task.case).catch(() => undefined);
      }
    },
  };
  return self;
}
