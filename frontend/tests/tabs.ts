/** Tabs of readers at the development server, for the tests of a session; the network can be cut. */
import "fake-indexeddb/auto";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { IDBFactory } from "fake-indexeddb";
import { afterAll, beforeAll, beforeEach, vi } from "vitest";
import { openApi } from "../src/api/client";
import { newId } from "../src/model/ids";
import { openDatabase, type Database } from "../src/state/database";
import { activeClock } from "../src/state/seconds";
import { openSession, type Session } from "../src/state/session";

let server: ChildProcess;
let base = "";
/** What a test may cut, and the store of the browser that its tabs share. */
export const around = { network: true, factory: new IDBFactory() };

beforeAll(async () => {
  server = spawn("node", ["dev/server.mjs"], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(server.stdout!, "data")) as [Buffer];
  base = line.toString().trim();
});
afterAll(() => { server.kill(); });
/** Ends every tab of the last test: a tab that is gone sends nothing and wakes no more. */
let life = new AbortController();
beforeEach(async () => {
  life.abort();
  life = new AbortController();
  around.factory = new IDBFactory();
  around.network = true;
  await dev("reset");
});

export const dev = async (what: string, body: unknown = {}): Promise<{ reads: Read[]; drafts: Record<string, unknown> }> =>
  (await fetch(`${base}/dev/${what}`, { method: "POST", body: JSON.stringify(body) })).json() as never;
export interface Read { task: string; answer: Record<string, unknown>; revision: number; read_id: string; seconds: number }

/** A tab: the same browser store, its own memory. */
export async function tab(project: string, database?: Database): Promise<Session> {
  const { signal } = life;
  const send: typeof fetch = (path, init) =>
    around.network && !signal.aborted ? fetch(`${base}${String(path)}`, init) : Promise.reject(new TypeError("no network"));
  const session = openSession(project, {
    api: openApi(send),
    database: database ?? (await openDatabase(around.factory)),
    screen: {
      preload: async () => undefined, release: () => undefined,
      show: async () => undefined, setFrame: async () => undefined,
    },
    clock: activeClock(), now: () => performance.now(), newId,
    later: (act, ms) => void setTimeout(() => { if (!signal.aborted) act(); }, Math.min(ms, 20)),
  });
  await session.start();
  return session;
}

export const settled = (check: () => void | Promise<void>): Promise<void> => vi.waitFor(check, { timeout: 4000, interval: 20 });
export const grade = (session: Session, name: string): void => session.change({ answer: { grade: name } });
