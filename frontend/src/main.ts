import { startViewer } from "./viewer/viewer";
const box = document.createElement("div");
Object.assign(box.style, { width: "1000px", height: "700px", position: "relative" });
document.body.append(box);
const wish = location.search.includes("gpu") ? "gpu" : location.search.includes("cpu") ? "cpu" : undefined;
const v = await startViewer(box, async (url, signal) => (await fetch(url, { signal })).arrayBuffer(), wish as never);
(window as never as {v: unknown}).v = v;
