// Line numbers beside the protocol, and a jump to the line of each fault.
const text = document.querySelector("#text");
const gutter = document.querySelector(".gutter");
const links = [...document.querySelectorAll("[data-line]")];
const bad = new Set(links.map((link) => Number(link.dataset.line)));
const notes = document.querySelector(".editor .notes");
const LINE = 20; // pixels, as in the style sheet
const shown = links.map((link) => {
  const note = document.createElement("span");
  note.textContent = link.parentElement.dataset.rule;
  notes.append(note);
  return { note, line: Number(link.dataset.line) };
});

// Each fault stands beside its line, at the right, and goes with it.
function place() {
  const last = new Map();
  for (const { note, line } of shown) {
    const again = last.get(line) ?? 0;
    last.set(line, again + 1);
    const top = 10 + (line - 1 + again) * LINE - text.scrollTop;
    note.style.top = `${top}px`;
    note.hidden = top < 0 || top > text.clientHeight - LINE;
  }
}

function number() {
  const lines = text.value.split("\n").length;
  gutter.replaceChildren(...Array.from({ length: lines }, (_, at) => {
    const span = document.createElement("span");
    span.textContent = `${at + 1}\n`;
    if (bad.has(at + 1)) span.className = "bad";
    return span;
  }));
  gutter.scrollTop = text.scrollTop;
}

function jump(line) {
  const lines = text.value.split("\n");
  const begin = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  text.focus();
  text.setSelectionRange(begin, begin + (lines[line - 1] ?? "").length);
  text.scrollTop = Math.max(0, (line - 6) * 20);
}

if (text && gutter) {
  text.addEventListener("input", number);
  text.addEventListener("scroll", () => { gutter.scrollTop = text.scrollTop; place(); });
  addEventListener("resize", place);
  for (const link of links) {
    link.addEventListener("click", (event) => { event.preventDefault(); jump(Number(link.dataset.line)); });
  }
  text.addEventListener("keydown", (event) => {
    // Tab is not YAML: two blanks instead, and only here.
    if (event.key === "Tab" && !event.shiftKey && !event.ctrlKey && !event.altKey) {
      event.preventDefault();
      text.setRangeText("  ", text.selectionStart, text.selectionEnd, "end");
      number();
    }
  });
  number();
  place();
  if (links.length) jump(Number(links[0].dataset.line));
}
