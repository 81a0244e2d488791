/** The reading page, put together. */
import "./page.css";
import { decidingApi, lacksReason } from "./api/adjudication";
import { openApi } from "./api/client";
import { openDatabase } from "./state/database";
import { activeClock } from "./state/seconds";
import { openSession } from "./state/session";
import { openDesk } from "./page/desk";
import { newId } from "./model/ids";
import { h } from "./page/dom";
import { startViewer, type Rendering } from "./viewer/viewer";

const HEARTBEAT_MS = 60_000;
const RETRY_MS = 15_000;

async function main(): Promise<void> {
  const project = decodeURIComponent(location.pathname.split("/").filter(Boolean)[1] ?? "");
  const page = document.querySelector<HTMLElement>("#page")!;
  const viewport = h("div", { class: "viewport" });
  const image = h("main", { class: "image", "aria-label": "Image" }, viewport);
  page.append(image);
  const asked = new URLSearchParams(location.search);
  const adjudication = asked.get("adjudication");
  const home = `/projects/${encodeURIComponent(project)}/adjudication`;
  const api = adjudication === null ? openApi() : decidingApi(openApi(), { adjudication,
    from: asked.get("from") ?? "", now: Date.now,
    leave: (done) => location.assign(done ? `${home}?done=decided` : home) });
  const wish = asked.get("rendering");
  const viewer = await startViewer(viewport, api.frame,
    wish === "gpu" || wish === "cpu" ? (wish satisfies Rendering) : undefined);
  const clock = activeClock();
  const session = openSession(project, {
    api,
    database: await openDatabase(globalThis.indexedDB),
    screen: viewer,
    clock,
    now: () => performance.now(),
    later: (act, ms) => void setTimeout(act, ms),
    newId,
    lacking: adjudication === null ? undefined : ({ comment }) => lacksReason(comment),
  });
  openDesk(page, image, viewer, session);

  const now = (): number => performance.now();
  for (const sign of ["pointerdown", "pointermove", "wheel", "keydown"] as const) {
    addEventListener(sign, () => clock.activity(now()), { passive: true, capture: true });
  }
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      clock.hide(now());
      session.farewell();
    } else clock.show(now());
  });
  addEventListener("pagehide", () => session.farewell());
  addEventListener("online", () => void session.flush());
  setInterval(() => void session.heartbeat(), HEARTBEAT_MS);
  setInterval(() => void session.flush(), RETRY_MS);
  void navigator.storage?.persist?.();
  await session.start();
}

main().catch((reason: unknown) => {
  const page = document.querySelector<HTMLElement>("#page");
  page?.replaceChildren(h("div", { class: "end", role: "alert" }, h("h1", {}, "The reading page cannot start"),
    h("p", {}, `${reason instanceof Error ? reason.message : String(reason)} Reload the page; nothing is lost.`)));
});
