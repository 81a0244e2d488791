/** Which key does what. Pure: reading a key event, remapping, conflicts. */
import type { ClassEntry, Question } from "../model/answer";
import { COMMANDS } from "./commands";

export type KeyMap = ReadonlyMap<string, string>;

type KeyPress = Pick<KeyboardEvent, "key" | "code" | "shiftKey" | "ctrlKey" | "metaKey" | "altKey">;

/** The name of a key press: "a", "Shift+A", "Ctrl+z", "3", "Shift+3", "ArrowUp", "?". */
export function keyName(press: KeyPress): string {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(press.code)?.[1];
  const letter = /^Key([A-Z])$/.exec(press.code)?.[1];
  let name = press.key === " " ? "Space" : press.key;
  let shift = press.shiftKey && (name.length > 1 || /\p{L}/u.test(name));
  if (digit !== undefined) {
    // By place, not by sign: French and Czech keyboards write digits with Shift.
    [name, shift] = [digit, press.shiftKey];
  } else if (letter && !/^[\x21-\x7e]$/.test(name)) {
    name = letter; // Cyrillic, Greek, Arabic ... keyboards
  }
  if (/^[A-Za-z]$/.test(name)) name = shift ? name.toUpperCase() : name.toLowerCase();
  const parts = [press.ctrlKey || press.metaKey ? "Ctrl" : "", press.altKey ? "Alt" : "",
    shift ? "Shift" : "", name];
  return parts.filter(Boolean).join("+");
}

/** Key names -> commands, with what the reader changed. */
export function keyMap(changed: Readonly<Record<string, string>> = {}): KeyMap {
  return new Map(COMMANDS.map(({ id, key }) => [changed[id] ?? key, id]));
}

export function keyOf(map: KeyMap, command: string): string | null {
  for (const [key, id] of map) if (id === command) return key;
  return null;
}

/** Keys that the page and the browser need for themselves. */
const TAKEN = new Set(["Tab", "Shift+Tab", "Escape", "Ctrl+r", "Ctrl+t", "Ctrl+w", "Ctrl+n", "F5",
  "Control", "Shift", "Alt", "Meta", "Dead", "Process", "Unidentified"]);

/** Why a command cannot have a key, in words; null where it can. */
export function refusal(
  map: KeyMap, command: string, key: string, questions: readonly Question[],
): string | null {
  if (TAKEN.has(key)) return `${shown(key)} is needed by the browser.`;
  if (/^(?:Shift\+)?\d$/.test(key)) return "Digits answer; Shift and a digit choose a window.";
  const other = map.get(key);
  if (other !== undefined && other !== command) {
    return `${shown(key)} is taken: ${COMMANDS.find(({ id }) => id === other)?.title ?? other}.`;
  }
  for (const question of questions) {
    const entry = classKeys(question).get(key);
    if (entry) return `${shown(key)} is taken: ${entry.name} (${question.prompt}).`;
  }
  return null;
}

/** Keys of a question's classes: the protocol's own, or the digits in order. */
export function classKeys(question: Question): ReadonlyMap<string, ClassEntry> {
  const keys = new Map<string, ClassEntry>();
  const { classes } = question;
  for (const entry of classes) {
    if (entry.key) keys.set(entry.key.length === 1 ? entry.key.toLowerCase() : entry.key, entry);
  }
  // Grades that are named by their number keep it.
  const numbered = classes.every(({ name }) => /^\d$/.test(name));
  classes.forEach((entry, index) => {
    if (entry.key) return;
    const digit = numbered ? entry.name : index < 9 ? String(index + 1) : index === 9 ? "0" : null;
    if (digit !== null && !keys.has(digit)) keys.set(digit, entry);
  });
  return keys;
}

const SIGNS: Readonly<Record<string, string>> = {
  ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", Delete: "Del", Backspace: "⌫",
};

/** A key as it is written on a button. */
export function shown(key: string): string {
  return key.split("+").map((part) => SIGNS[part] ?? (part.length === 1 ? part.toUpperCase() : part))
    .join(" ").trim() || "+";
}
