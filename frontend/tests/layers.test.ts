import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "../src");
/** What each room may import, besides itself. */
const MAY: Readonly<Record<string, readonly string[]>> = {
  model: [],
  api: ["model"],
  keys: ["model"],
  state: ["model", "api"],
  viewer: ["model"],
  tools: ["model", "state"],
  page: ["model", "api", "keys", "state", "tools", "viewer"],
  "": ["model", "api", "state", "page", "viewer"],
};

const files = readdirSync(ROOT, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));

function imports(file: string): string[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  return [...text.matchAll(/(?:from|import)\s+"([^"]+)"/g)].map((found) => found[1]!);
}

const room = (file: string): string => (file.includes("/") ? file.split("/")[0]! : "");

test("there are files to look at", () => expect(files.length).toBeGreaterThan(25));

test.each(files)("%s imports only from the rooms it may", (file) => {
  for (const name of imports(file).filter((each) => each.startsWith("."))) {
    const target = room(relative(ROOT, resolve(ROOT, dirname(file), name)));
    if (target !== room(file) && !name.endsWith(".css")) expect(MAY[room(file)]).toContain(target);
  }
});

test.each(files)("%s leaves Cornerstone to the viewer", (file) => {
  const foreign = imports(file).filter((name) => !name.startsWith("."));
  expect(foreign).toEqual(room(file) === "viewer" && foreign.length ? ["@cornerstonejs/core"] : []);
});

test.each(files)("%s parses no HTML and evaluates no text", (file) => {
  const text = readFileSync(join(ROOT, file), "utf8");
  expect(text).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/);
});
