import fc from "fast-check";
import { expect, test } from "vitest";
import { COMMANDS } from "../src/keys/commands";
import { classKeys, keyMap, keyName, keyOf, refusal, shown } from "../src/keys/keymap";
import type { Question } from "../src/model/answer";

const press = (key: string, code: string, more: Partial<KeyboardEvent> = {}) =>
  keyName({ key, code, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...more });
const question = (names: readonly string[], keys: readonly (string | null)[] = []): Question => ({
  id: "q", prompt: "Q", kind: "nominal", low: null, high: null, required: true,
  classes: names.map((name, i) => ({ name, code: i + 1, key: keys[i] ?? null, colour: null })),
});

test("every command has a key of its own", () => {
  expect(new Set(COMMANDS.map(({ key }) => key)).size).toBe(COMMANDS.length);
  expect(COMMANDS.every(({ key }) => !/^(?:Shift\+)?\d$/.test(key))).toBe(true);
});

test("digits are read by place, letters by sign, others by both", () => {
  expect(press("&", "Digit1")).toBe("1"); // French
  expect(press("1", "Digit1", { shiftKey: true })).toBe("Shift+1");
  expect(press("7", "Numpad7")).toBe("7");
  expect(press("ы", "KeyS")).toBe("s"); // Russian
  expect(press("S", "KeyS", { shiftKey: true })).toBe("Shift+S");
  expect(press("z", "KeyZ", { ctrlKey: true })).toBe("Ctrl+z");
  expect(press("z", "KeyZ", { metaKey: true })).toBe("Ctrl+z");
  expect(press("?", "Slash", { shiftKey: true })).toBe("?");
  expect(press(" ", "Space")).toBe("Space");
});

test("classes get the protocol's keys, grades their number, others the digits in order", () => {
  expect([...classKeys(question(["0", "1", "2"])).entries()].map(([key, { name }]) => [key, name]))
    .toEqual([["0", "0"], ["1", "1"], ["2", "2"]]);
  expect([...classKeys(question(["a", "b"])).keys()]).toEqual(["1", "2"]);
  expect([...classKeys(question(["a", "b"], ["j", null])).keys()].toSorted()).toEqual(["2", "j"]);
  expect(classKeys(question(Array.from({ length: 12 }, (_, i) => `c${i}`))).size).toBe(10);
});

test("a taken key is refused with the reason, a free one is given", () => {
  const map = keyMap();
  expect(refusal(map, "invert", "z", [])).toBe("Z is taken: Zoom tool.");
  expect(refusal(map, "invert", "5", [])).toContain("Digits answer");
  expect(refusal(map, "invert", "Tab", [])).toContain("browser");
  expect(refusal(map, "invert", "j", [question(["a"], ["j"])])).toBe("J is taken: a (Q).");
  expect(refusal(map, "invert", "j", [])).toBeNull();
  expect(refusal(map, "invert", "i", [])).toBeNull();
  expect(keyOf(keyMap({ invert: "j" }), "invert")).toBe("j");
});

test("whatever is changed without a refusal, every command keeps one key", () => {
  const keys = fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz".split(""), "F2", "Ctrl+k");
  const change = fc.tuple(fc.constantFrom(...COMMANDS.map(({ id }) => id)), keys);
  fc.assert(fc.property(fc.array(change), (changes) => {
    let changed: Record<string, string> = {};
    for (const [command, key] of changes) {
      if (refusal(keyMap(changed), command, key, []) === null) changed = { ...changed, [command]: key };
    }
    expect(keyMap(changed).size).toBe(COMMANDS.length);
  }));
});

test("keys as written on buttons", () => {
  expect(shown("Ctrl+z")).toBe("Ctrl Z");
  expect(shown("ArrowUp")).toBe("↑");
  expect(shown("+")).toBe("+");
});
