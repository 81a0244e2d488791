// The worst cases of an alarm: the reader's drawing beside the others'.
import { isFinding, said } from "./answers.js";
import { draw, overlay } from "./drawing.js";

const list = document.querySelector(".worst");
const { reader, question, colour } = list.dataset;
const colourOf = (number) => getComputedStyle(document.documentElement).getPropertyValue(`--reader-${number}`).trim();

function picture(figure, image, answers) {
  const stage = document.createElement("div");
  stage.className = "picture";
  image.replaceWith(stage);
  stage.append(image);
  const svg = overlay(stage, image.naturalWidth, image.naturalHeight);
  for (const { answer, number } of answers) {
    const part = document.createElementNS("http://www.w3.org/2000/svg", "g");
    svg.append(part);
    draw(part, { [question]: answer }, () => colourOf(number));
  }
}

async function fill(item) {
  const response = await fetch(`/api/cases/${item.dataset.case}/reads`, { headers: { Accept: "application/json" } });
  if (!response.ok) return;
  const { reads } = await response.json();
  const mine = reads.filter((one) => one.reader === reader);
  const theirs = reads.filter((one) => one.reader !== reader);
  const drawn = reads.some((one) => Array.isArray(one.answer[question]) && isFinding(one.answer[question][0]));
  if (!drawn) {
    item.querySelector(".said").textContent = `${mine.map((one) => said(one.answer[question])).join(", ")}; the others: ${theirs.map((one) => said(one.answer[question])).join(", ")}`;
    return;
  }
  const frame = mine.flatMap((one) => one.answer[question] ?? []).map((one) => one.frame)[0] ?? 0;
  const figures = item.querySelectorAll("figure");
  for (const [figure, of] of [[figures[0], mine], [figures[1], theirs]]) {
    const image = figure.querySelector("img");
    if (frame) image.src = `/api/cases/${item.dataset.case}/pictures/${frame}`;
    const answers = of.map((one) => ({
      number: one.reader === reader ? colour : ((one.colour - 1) % 8) + 1,
      answer: (one.answer[question] ?? []).filter((each) => each.frame === frame),
    }));
    image.loading = "eager";
    await image.decode().catch(() => undefined);
    picture(figure, image, answers);
  }
}

for (const item of list.children) void fill(item);
