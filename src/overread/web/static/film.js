// Film-strip review: auto-labels of one class, most doubtful first, one key each; saved as one goes.
const IDLE_MS = 30_000; // as on the reading page: time beyond without a sign of life is left out
const SAVE_MS = 700;
const AHEAD = 4;
const MOST = 1000;

const room = document.querySelector(".film-room");
if (room) void begin();

function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function activeClock() {
  let counted = 0;
  let last = performance.now();
  let hidden = document.hidden;
  const settle = () => {
    const now = performance.now();
    if (!hidden) counted += Math.min(now - last, IDLE_MS);
    last = now;
  };
  for (const sign of ["keydown", "pointermove", "pointerdown", "wheel"]) document.addEventListener(sign, settle, { passive: true, capture: true });
  document.addEventListener("visibilitychange", () => { settle(); hidden = document.hidden; });
  return { take() { settle(); const seconds = Math.round(counted / 100) / 10; counted -= seconds * 1000; return Math.max(0, seconds); } };
}

async function begin() {
  const { project, run, label, csrf, who, words: shownName } = room.dataset;
  const findings = room.dataset.findings ? JSON.parse(room.dataset.findings) : null; // sets of classes
  const api = `/api/projects/${project}/auto-labels`;
  const one = (selector) => room.querySelector(selector);
  const image = one(".large img"), caption = one(".large figcaption"), line = one(".strip-line");
  const sure = one(".doubt b"), meter = one("meter"), soFar = one(".so-far"), rest = one(".rest");
  const problem = one(".problem"), dialog = one("dialog"), done = one(".done");
  const answers = [...room.querySelectorAll(".answer")];
  let marked = new Set(); // of the case that is shown, where labels are sets
  const inWords = (value) => findings ? JSON.parse(value).join(", ") || "none of them" : value;
  const asText = () => (marked.size === JSON.parse(frames[at].label).length && JSON.parse(frames[at].label).every((one) => marked.has(one))) ? frames[at].label : JSON.stringify(findings.filter((one) => marked.has(one)));
  const clock = activeClock();
  let frames = [], cells = [], at = 0, left = 0, name = "", sending = false, timer = 0;
  const said = new Map(); // case -> label, as this page shows it
  const history = [];
  let unsent = new Map();

  async function ask(method, path, body, keepalive = false) {
    const headers = { Accept: "application/json", "Content-Type": "application/json", "X-CSRF-Token": csrf };
    const response = await fetch(path, { method, headers, keepalive, body: body && JSON.stringify(body) });
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    const { name: what = "The server", rule = "answer", remedy } = answer.error ?? {};
    const error = new Error(`${what} ${/^(is|are|was|were|has|have|changed) /.test(rule) ? "" : "must "}${rule}. ${remedy ?? ""}`);
    error.status = response.status;
    throw error;
  }

  function tell(error) {
    problem.textContent = error ? String(error.message ?? error) : "";
    problem.hidden = !error;
  }

  async function save(keepalive = false) {
    clearTimeout(timer);
    if (sending && !keepalive) return void (timer = setTimeout(save, SAVE_MS));
    const seconds = clock.take();
    if (!unsent.size && !seconds) return undefined;
    const words = [...unsent].slice(0, MOST).map(([id, value]) => ({ case: id, label: value }));
    const sent = new Map(words.map((word) => [word.case, word.label]));
    for (const id of sent.keys()) unsent.delete(id);
    sending = true;
    try {
      await ask("POST", `${api}/review`, { run, words, seconds: Math.min(seconds, 3600) }, keepalive);
      tell(null);
      room.dataset.saved = String(said.size);
    } catch (error) {
      unsent = new Map([...sent, ...unsent]); // what was said since goes before
      tell(error);
      if (!error.status || error.status >= 500) timer = setTimeout(save, 4000); // away for a while: asked again
    } finally {
      sending = false;
    }
    if (unsent.size && problem.hidden) timer = setTimeout(save, SAVE_MS);
    return undefined;
  }

  function mark(place) {
    const frame = frames[place], value = said.get(frame.case), [button, words] = cells[place];
    button.className = value === undefined ? "" : value === "" ? "sent" : value === frame.label ? "accepted" : "corrected";
    words.textContent = value === undefined ? `${Math.floor(frame.probability * 100)} %` : value === "" ? "to a reader" : value === frame.label ? "✓" : inWords(value);
  }

  function show(place) {
    if (!frames.length) return;
    cells[at]?.[0].removeAttribute("aria-current");
    at = Math.max(0, Math.min(place, frames.length - 1));
    const frame = frames[at];
    cells[at][0].setAttribute("aria-current", "true");
    const strip = cells[at][0].parentElement;
    line.scrollLeft = strip.offsetLeft - line.offsetLeft - line.clientWidth / 2 + strip.clientWidth / 2;
    image.src = frame.thumbnail_url; // at once; the large one takes its place
    const large = new Image();
    large.src = frame.picture_url;
    large.decode().then(() => { if (frames[at] === frame) image.src = large.src; }, () => undefined);
    image.alt = frame.name;
    caption.textContent = `${frame.name} · ${at + 1} of ${frames.length}`;
    sure.textContent = `${(Math.floor(frame.probability * 1000) / 10).toFixed(1)} %`;
    meter.value = frame.probability;
    const value = said.get(frame.case);
    if (findings) marked = new Set(JSON.parse(value || frame.label));
    press(value);
    for (const next of frames.slice(at + 1, at + 1 + AHEAD)) new Image().src = next.picture_url;
    tally();
  }

  function press(value) {
    for (const answer of answers) {
      const { finding } = answer.dataset;
      const pressed = finding === undefined ? value !== undefined && answer.dataset.class === value : marked.has(finding);
      answer.setAttribute("aria-pressed", String(pressed));
    }
  }

  function turn(finding) {
    if (!marked.delete(finding)) marked.add(finding);
    press(said.get(frames[at]?.case));
  }

  function tally() {
    const changed = frames.filter((frame) => said.has(frame.case) && said.get(frame.case) !== frame.label).length;
    const open = left - said.size;
    soFar.textContent = said.size ? `${said.size} looked at, ${changed} changed, ${open.toLocaleString("en")} left` : `${open.toLocaleString("en")} to look at`;
    rest.hidden = open < 1;
    rest.lastElementChild.textContent = `Accept the rest: ${open.toLocaleString("en")}`;
  }

  function say(value) {
    const frame = frames[at];
    if (!frame) return;
    history.push([at, said.get(frame.case)]);
    said.set(frame.case, value);
    unsent.set(frame.case, value);
    mark(at);
    clearTimeout(timer);
    timer = setTimeout(save, SAVE_MS);
    const next = frames.findIndex((other, place) => place > at && !said.has(other.case));
    if (next >= 0) return show(next);
    show(at);
    if (frames.every((other) => said.has(other.case))) void end();
  }

  function undo() {
    const last = history.pop();
    if (!last) return;
    const [place, before] = last;
    const id = frames[place].case;
    if (before === undefined) said.delete(id); else said.set(id, before);
    unsent.set(id, before ?? null);
    mark(place);
    done.hidden = true;
    show(place);
    clearTimeout(timer);
    timer = setTimeout(save, SAVE_MS);
  }

  async function end() {
    await save();
    if (unsent.size) return;
    if (left > frames.length) return location.reload(); // the next thousand
    done.hidden = false;
    done.querySelector("h2").textContent = `All ${frames.length.toLocaleString("en")} looked at`;
    done.querySelector("p").textContent = `Every label ${shownName} was looked at. U takes the last word back.`;
  }

  async function acceptRest() {
    await save();
    const open = left - said.size;
    if (open < 1 || unsent.size) return;
    dialog.querySelector("h2").textContent = `Accept ${open.toLocaleString("en")} labels “${shownName}”?`;
    dialog.querySelector("p").textContent = `They are those that nobody looked at, the model being surer of them than of what you saw. They are accepted in your name, ${who}.`;
    const yes = dialog.querySelector(".yes");
    yes.textContent = `Accept ${open.toLocaleString("en")}`;
    yes.onclick = async () => {
      dialog.close();
      try {
        await ask("POST", `${api}/accept-rest`, { run, label: name, count: open, seconds: Math.min(clock.take(), 3600) });
        location.assign(`/projects/${project}/review`);
      } catch (error) {
        tell(error);
      }
    };
    dialog.showModal();
    yes.focus();
  }

  async function load() {
    try {
      const found = await ask("GET", `${api}/strip?label=${label}&limit=${MOST}`);
      frames = found.frames;
      left = found.left;
      name = found.label;
    } catch (error) {
      return tell(error);
    }
    cells = frames.map((frame, place) => {
      const button = el("button", { type: "button", tabindex: "-1", "aria-label": frame.name }, el("img", { src: frame.thumbnail_url, alt: "", loading: "lazy", width: "100", height: "100" }));
      button.addEventListener("click", () => show(place));
      return [button, el("span")];
    });
    line.replaceChildren(...cells.map((cell) => el("li", {}, ...cell)));
    for (let place = 0; place < frames.length; place += 1) mark(place);
    if (frames.length) show(0);
    else {
      one(".look").hidden = true;
      one(".look").style.display = "none";
      done.hidden = false;
      done.querySelector("h2").textContent = "Nothing is left to look at";
      done.querySelector("p").textContent = `Every label ${shownName} was looked at.`;
    }
    room.dataset.ready = String(frames.length);
    return undefined;
  }

  for (const answer of answers) answer.addEventListener("click", () => {
    if (answer.dataset.finding !== undefined) turn(answer.dataset.finding);
    else say(answer.classList.contains("as-is") ? asText() : answer.dataset.class);
    answer.blur();
  });
  rest.addEventListener("click", () => void acceptRest());
  dialog.querySelector(".no").addEventListener("click", () => dialog.close());
  addEventListener("pagehide", () => { if (unsent.size) void save(true); });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || dialog.open) return;
    const key = event.key.toLowerCase();
    if ((key === "enter" || key === " ") && event.target.closest?.("a, button:not(.answer), summary")) return;
    if (key === "enter" || key === " ") { if (!event.repeat && frames[at]) say(findings ? asText() : frames[at].label); }
    else if (/^[1-9]$/.test(key)) { const chosen = answers[Number(key) - 1]?.dataset ?? {}; if (chosen.finding !== undefined) turn(chosen.finding); else if (chosen.class) say(chosen.class); }
    else if (key === "x") say("");
    else if (key === "u") undo();
    else if (key === "a") void acceptRest();
    else if (key === "arrowright") show(at + 1);
    else if (key === "arrowleft") show(at - 1);
    else return;
    event.preventDefault();
  });
  await load();
}
