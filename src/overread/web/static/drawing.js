// Findings over a picture, as shapes of an SVG in the picture's pixels.
const NS = "http://www.w3.org/2000/svg";

export function overlay(frame, columns, rows) {
  frame.querySelector("svg")?.remove();
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("viewBox", `0 0 ${columns} ${rows}`);
  svg.setAttribute("preserveAspectRatio", "none");
  frame.append(svg);
  return svg;
}

function shape(name, attributes) {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** Runs of a mask as one path of rows, so that any size is drawn at once. */
function path({ runs, columns }) {
  const parts = [];
  let at = 0;
  for (const [code, length] of runs) {
    for (let from = at; code > 0 && from < at + length;) {
      const row = Math.floor(from / columns);
      const to = Math.min(at + length, (row + 1) * columns);
      parts.push(`M${from - row * columns} ${row}h${to - from}v1h${from - to}z`);
      from = to;
    }
    at += length;
  }
  return parts.join("");
}

export function draw(svg, drawing, colour) {
  const made = [];
  for (const found of Object.values(drawing)) {
    for (const one of found) {
      const stroke = colour(one.class);
      if (one.x1 !== undefined) {
        made.push(shape("rect", { x: one.x1, y: one.y1, width: one.x2 - one.x1, height: one.y2 - one.y1, stroke }));
      } else if (one.points) {
        made.push(shape("polygon", { points: one.points.map((at) => at.join(",")).join(" "), stroke }));
      } else if (one.runs) made.push(shape("path", { d: path(one), fill: colour(null), class: "mask" }));
    }
  }
  svg.replaceChildren(...made);
}
