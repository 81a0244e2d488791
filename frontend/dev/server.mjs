// The API of the reading page from synthetic cases, in memory: for development and tests only.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { deflateSync } from "node:zlib";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { frame } from "./images.mjs";
import { PROJECTS } from "./projects.mjs";

const BUILT = process.env.READ_BUILT ??
  fileURLToPath(new URL("../../src/overread/web/static/read/", import.meta.url));
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css",
  ".svg": "image/svg+xml", ".wasm": "application/wasm" };
export const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

let state;
function reset() {
  state = { signedIn: true, fail: null, delay: 0, drafts: {}, reads: [], receipts: {}, skipped: {}, log: [],
    runs: {}, disputes: [], told: {}, slow: 0,
    show: "hidden", proposed: {}, places: null, shown: [] };
}
reset();

const LEASE = 15 * 60 * 1000;
const error = (name, rule, got = null, remedy = null) => ({ error: { name, rule, got, remedy } });
const taskId = (project, of) => `${project.id}.${of.id}`;
const isDone = (id) => state.reads.some((read) => read.task === id) || state.skipped[id];

function task(project, of) {
  const id = taskId(project, of);
  return { id, project: project.id, lease_expires: new Date(Date.now() + LEASE).toISOString(),
    protocol_version: 1, case: of, draft: state.drafts[id] ?? null };
}

function submit(id, body) {
  const old = state.receipts[body.read_id];
  if (old) return [200, old];
  const mine = state.reads.filter((read) => read.task === id);
  if (mine.length !== (body.base_revision ?? 0)) {
    const { answer, flags, comment, seconds, revision } = mine.at(-1) ?? {};
    return [409, { ...error("read", "build on the latest revision", mine.length),
      current: { version: revision, answer, flags, comment, seconds } }];
  }
  const receipt = { read_id: body.read_id, revision: mine.length + 1, surplus: false };
  state.receipts[body.read_id] = receipt;
  state.reads.push({ ...body, task: id, revision: receipt.revision, submitted: new Date().toISOString() });
  return [200, receipt];
}

/** Hints about drawings by their place: { question: { 0: "words" } }, as /dev/set gave them. */
function told(answer) {
  return Object.entries(state.told).flatMap(([question, words]) => Object.entries(words).flatMap(([at, said]) => {
    const one = answer[question]?.[Number(at)];
    return one ? [{ question, rule: "loose-contour", finding: one.id ?? "", words: said }] : [];
  }));
}

/** What a model proposes for a task, as /dev/set gave it: { task: answer }. */
function proposed(id, body) {
  const found = state.show === "hidden" ? undefined : state.proposed[id];
  if (!found) return { answer: null, by: [] };
  state.shown.push({ task: id, what: "pre-label", ...body });
  const by = Object.keys(found).map((question) => ({ question, model: "net", version: "1.2", confidence: 0.834 }));
  return { answer: found, by };
}

function saveDraft(id, body) {
  const now = state.drafts[id];
  if ((now?.version ?? 0) !== body.version) {
    return [409, { ...error("draft", "build on the latest version", body.version), current: now }];
  }
  state.drafts[id] = { ...body, version: body.version + 1 };
  return [200, { version: body.version + 1 }];
}

const ME = { id: "reader-1", name: "Rhea Reader", role: "reader", csrf: "dev-csrf" };

function answer(method, path, query, body) {
  const at = path.split("/").slice(2);
  if (path === "/api/login") {
    if (body.password !== "pass") return [401, error("password", "be right")];
    state.signedIn = true;
    return [200, ME];
  }
  if (!state.signedIn) return [401, error("session", "be open")];
  if (path === "/api/me") return [200, ME];
  if (at[0] === "projects" && at.length === 1) {
    return [200, Object.values(PROJECTS).map((p) => ({ id: p.id, name: p.name,
      kindes: p.protocol.questions.map((q) => q.kind), done: 0, total: p.cases.length }))];
  }
  if (at[0] === "projects") return ofProject(method, PROJECTS[at[1]], at.slice(2), query, body);
  if (at[0] === "trials") return ofTrial(at[1], at[2], body);
  if (at[0] === "tasks") return ofTask(at[1], at[2], body);
  return [404, error("path", "exist", path)];
}

function ofProject(_method, project, rest, query, body) {
  if (!project) return [404, error("project", "exist")];
  const open = project.cases.filter((of) => !isDone(taskId(project, of)));
  switch (rest.join("/")) {
    case "onboarding": return [200, standing(project)];
    case "dry-run": return nextTrial(project, body.begin);
    case "protocol": return [200, { ...project.protocol, pre_label: state.show, hints: state.places !== null }];
    case "progress": return [200, { done: project.cases.length - open.length,
      total: project.cases.length, median_seconds: 5, left_seconds: open.length * 5 }];
    case "claim": if (!standing(project).qualified) return [403, error("reader", "be qualified for this project")];
      return [200, { tasks: open.slice(0, body.count).map((of) => task(project, of)) }];
    case "reads/mine": {
      const latest = new Map();
      for (const read of state.reads) if (read.task.startsWith(`${project.id}.`)) latest.set(read.task, read);
      const all = [...latest.values()].toReversed().slice(0, Number(query.get("limit") ?? 20));
      return [200, all.map((read) => ({ ...read,
        case: project.cases.find((of) => taskId(project, of) === read.task) }))];
    }
    default: return [404, error("path", "exist")];
  }
}

/** A dry run: two gold cases, all of them right to pass; the newest run is the last. */
function standing(project) {
  const runs = state.runs[project.id] ?? [];
  const last = runs.at(-1);
  const left = 3 - runs.length;
  const base = { demanded: Boolean(project.gold), qualified: !project.gold, title: "", words: "", action: "read",
    misfits: [], done: 0, cases: 2, runs_left: left };
  if (!project.gold) return base;
  if (last && last.length < 2) return { ...base, title: "Go on", action: "go on", done: last.length };
  if (last?.every(Boolean)) return { ...base, qualified: true, title: "You are qualified", words: "2 of 2." };
  return { ...base, title: last ? "Not passed yet" : "A dry run comes first", action: "begin",
    words: "You answer 2 cases whose right answer is known." };
}

function nextTrial(project, begin) {
  const runs = (state.runs[project.id] ??= []);
  if (standing(project).action === "begin" && begin) runs.push([]);
  const now = standing(project);
  const [run, number] = [runs.length, now.done + 1];
  const at = (run - 1) * 2 + now.done;
  const trial = now.action !== "go on" ? null : { id: `${project.id}-trial-${at}`, project: project.id, run, number,
    cases: 2, protocol_version: 1, case: project.cases.at(-1 - (at % project.cases.length)) };
  return [200, { trial, onboarding: now }];
}

function ofTrial(id, what, body) {
  const project = PROJECTS[id.split("-trial-")[0]];
  if (what === "dispute") { state.disputes.push({ trial: id, ...body }); return [200, {}]; }
  const done = state.receipts[body.read_id];
  if (!done && standing(project).action !== "go on") return [409, error("trial", "was answered")];
  const right = canonical(body.answer) === canonical(project.gold);
  if (!done) state.runs[project.id].at(-1).push(right);
  state.receipts[body.read_id] = true;
  return [200, { trial: id, right: project.gold, atlas: ["a1"], onboarding: standing(project),
    marks: [{ prompt: "Grade", words: right ? "Right: 2." : "The right answer is 2.", right }] }];
}

const canonical = (value) => JSON.stringify(value);

function ofTask(id, what, body) {
  switch (what) {
    case "heartbeat": return [200, { lease_expires: new Date(Date.now() + LEASE).toISOString() }];
    case "skip": state.skipped[id] = body.reason ?? "skipped"; return [200, {}];
    case "release": return [200, {}];
    case "draft": return saveDraft(id, body);
    case "pre-label": return [200, proposed(id, body)];
    case "hints": state.shown.push({ task: id, what: "hints", ...body }); return [200, { hints: state.places ?? [] }];
    case "check": return [200, { looked: true, hints: told(body.answer) }];
    case "submit": return submit(id, body);
    default: return [404, error("path", "exist")];
  }
}

/** A tiny grey PNG of a case. */
function thumbnail(of) {
  const [w, h] = [96, Math.max(1, Math.round((96 * of.rows) / of.columns))];
  const raw = gunzipSync(frame(of.id, 0));
  const types = { uint8: Uint8Array, int16: Int16Array, uint16: Uint16Array, float32: Float32Array };
  const values = new types[of.dtype](raw.buffer, raw.byteOffset, raw.byteLength / types[of.dtype].BYTES_PER_ELEMENT);
  let [low, high] = [Infinity, -Infinity];
  for (const v of values) { if (v < low) low = v; if (v > high) high = v; }
  const rows = Buffer.alloc(h * (w + 1));
  for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) {
    const from = (Math.floor((y * of.rows) / h) * of.columns + Math.floor((x * of.columns) / w)) * of.samples;
    rows[y * (w + 1) + x + 1] = (255 * (values[from] - low)) / (high - low || 1);
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(w, 0); head.writeUInt32BE(h, 4); head[8] = 8;
  return Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"),
    chunk("IHDR", head), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}

function crc(bytes) {
  let c = ~0;
  for (const byte of bytes) {
    c ^= byte;
    for (let k = 0; k < 8; k++) c = (c >>> 1) ^ (0xedb88320 & -(c & 1));
  }
  return ~c >>> 0;
}

function chunk(name, content) {
  const body = Buffer.concat([Buffer.from(name), content]);
  const [size, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  size.writeUInt32BE(content.length);
  sum.writeUInt32BE(crc(body));
  return Buffer.concat([size, body, sum]);
}

function control(path, body) {
  switch (path) {
    case "/dev/reset": reset(); return {};
    case "/dev/set": Object.assign(state, body); return {};
    case "/dev/state": return state;
    default: return null;
  }
}

const send = (response, status, type, body, more = {}) => {
  response.writeHead(status, { "Content-Type": type, "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff", ...more });
  response.end(body);
};
const json = (response, status, body) => send(response, status, "application/json", JSON.stringify(body));

async function page(response, name) {
  const file = normalize(join(BUILT, name));
  if (!file.startsWith(BUILT)) return json(response, 404, error("path", "exist"));
  try {
    send(response, 200, TYPES[extname(file)] ?? "application/octet-stream", await readFile(file));
  } catch {
    json(response, 404, error("path", "exist", name));
  }
}

async function handle(request, response) {
  const url = new URL(request.url, "http://local");
  const chunks = [];
  for await (const part of request) chunks.push(part);
  const body = chunks.length ? JSON.parse(Buffer.concat(chunks).toString()) : {};
  const path = url.pathname;
  if (path.startsWith("/read/")) return page(response, "index.html");
  if (path.startsWith("/static/read/")) return page(response, path.slice("/static/read/".length));
  if (path.startsWith("/dev/")) return json(response, 200, control(path, body));
  if (state.fail === "drop") return request.socket.destroy();
  if (state.fail) return json(response, state.fail, error("server", "work"));
  const pause = path.endsWith("/check") ? Math.max(state.delay, state.slow) : state.delay;
  if (pause) await new Promise((go) => setTimeout(go, pause));
  const image = /^\/api\/cases\/([^/]+)\/(frames\/(\d+)|thumbnail)$/.exec(path);
  if (image && state.signedIn) {
    const of = Object.values(PROJECTS).flatMap((p) => p.cases).find((each) => each.id === image[1]);
    if (!of) return json(response, 404, error("case", "exist"));
    const kept = { "Cache-Control": "private, max-age=31536000, immutable" };
    if (image[3] === undefined) return send(response, 200, "image/png", thumbnail(of), kept);
    return send(response, 200, "application/octet-stream", frame(of.id, Number(image[3])),
      { "Content-Encoding": "gzip", ...kept });
  }
  if (request.method !== "GET" && path !== "/api/login" && state.signedIn &&
      request.headers["x-csrf-token"] !== ME.csrf) return json(response, 403, error("X-CSRF-Token", "be right"));
  state.log.push(`${request.method} ${path}`);
  const [status, said] = answer(request.method, path, url.searchParams, body);
  json(response, status, said);
}

const server = createServer((request, response) => {
  handle(request, response).catch((reason) => json(response, 500, error("server", String(reason))));
});
server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
