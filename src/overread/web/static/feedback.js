// My worst cases after an alarm: my drawing beside what the others say together.
import { isFinding, said } from "./answers.js";
import { draw, overlay } from "./drawing.js";

const root = document.querySelector(".again");
const COLOURS = { mine: "--reader-1", others: "--ink" };
const colourOf = (side) => getComputedStyle(document.documentElement).getPropertyValue(COLOURS[side]).trim();
const drawn = (value) => Array.isArray(value) && value.some(isFinding);

for (const frame of document.querySelectorAll(".concerned .drawn[data-drawing]")) {
  const { drawing, rows, columns } = frame.dataset;
  draw(overlay(frame, columns, rows), JSON.parse(drawing), () => colourOf("others"));
}

function lay(article, one, frame) {
  for (const figure of article.querySelectorAll("figure[data-side]")) {
    const side = figure.dataset.side;
    const value = one[side];
    const stage = figure.querySelector(".picture");
    const image = stage.querySelector("img");
    const source = `/api/cases/${one.case}/pictures/${frame}`;
    if (image.getAttribute("src") !== source) image.src = source;
    const here = drawn(value) ? value.filter((each) => each.frame === frame) : [];
    draw(overlay(stage, one.columns, one.rows), { here }, () => colourOf(side));
    figure.querySelector(".said").textContent = said(value);
  }
}

function begin(article, one) {
  lay(article, one, one.frame);
  const slider = article.querySelector(".frame");
  slider?.addEventListener("input", () => {
    article.querySelector("output").textContent = `${Number(slider.value) + 1} of ${one.frames}`;
    lay(article, one, Number(slider.value));
  });
}

async function load() {
  const response = await fetch(`/api/projects/${root.dataset.project}/feedback`, { headers: { Accept: "application/json" } });
  if (!response.ok) return;
  for (const one of (await response.json()).cases) {
    const article = [...root.children].find((each) => each.dataset.case === one.case);
    if (article) begin(article, one);
  }
}
if (root) void load();
