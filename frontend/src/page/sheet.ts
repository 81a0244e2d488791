/** The sheet of keys: what each does, and a way to change it. */
import { COMMANDS, type Command } from "../keys/commands";
import { keyMap, keyName, keyOf, refusal, shown } from "../keys/keymap";
import type { Session } from "../state/session";
import { button, h, show, write } from "./dom";
import type { Side } from "./guide";

const GROUPS: readonly Command["group"][] = ["Answer", "Go", "Draw", "Look", "Help"];

export interface Sheet extends Side {
  /** A key press while a command waits for its new key; true when it was taken. */
  taken(event: KeyboardEvent): boolean;
}

export function openSheet(session: Session): Sheet {
  const problem = h("p", { class: "problem", role: "alert" });
  const body = h("div", {});
  const element = h("aside", { class: "side", "aria-label": "Keys", hidden: true, tabindex: "-1" },
    h("h1", {}, "Keys"),
    h("p", {}, "Digits answer the question at hand. Shift and a digit choose a window."),
    h("p", {}, "Left button: the tool in hand. Right button: window. Middle button, or Space held: move. " +
      "Wheel: frames, or zoom for single images; Ctrl and wheel: zoom. Arrows move a chosen finding, with " +
      "Alt they resize a box, with Shift ten pixels at a time. Shift and drag always draws a new box. Alt-click takes a vertex away, and makes a hint " +
      "a box; Alt with the brush erases."),
    problem, body,
    button("All keys as they were", () => change({}), "quiet").element);
  let waiting: string | null = null;

  function change(keys: Readonly<Record<string, string>>): void {
    waiting = null;
    write(problem, "");
    session.setSettings({ keys });
  }

  function row(command: Command): HTMLElement {
    const map = keyMap(session.store.state.settings.keys);
    const key = keyOf(map, command.id);
    const made = button(waiting === command.id ? "Press a key" : "Change", () => {
      waiting = waiting === command.id ? null : command.id;
      write(problem, "");
      render();
    }, "change");
    made.element.setAttribute("aria-label", `Change the key of ${command.title}`);
    made.pressed(waiting === command.id);
    return h("div", { class: "key-row" }, h("span", {}, command.title),
      h("kbd", {}, key === null ? "" : shown(key)), made.element);
  }

  function render(): void {
    body.replaceChildren(...GROUPS.map((group) => h("section", {}, h("h2", {}, group),
      ...COMMANDS.filter((each) => each.group === group).map(row))));
  }

  session.store.subscribe((state, old) => {
    if (state.settings !== old.settings && !element.hidden) render();
  });

  return {
    element,
    get isOpen() { return !element.hidden; },
    toggle(open = Boolean(element.hidden)) {
      waiting = null;
      write(problem, "");
      if (open) render();
      show(element, open);
      if (open) element.focus({ preventScroll: true });
    },
    taken(event) {
      if (waiting === null || element.hidden) return false;
      const key = keyName(event);
      if (["Control", "Shift", "Alt", "Meta"].includes(key.split("+").at(-1) ?? "")) return true;
      if (key === "Escape") {
        waiting = null;
        render();
        return true;
      }
      const { settings, protocol } = session.store.state;
      const no = refusal(keyMap(settings.keys), waiting, key, protocol?.questions ?? []);
      if (no) write(problem, `${no} The key stays as it was.`);
      else change({ ...settings.keys, [waiting]: key });
      return true;
    },
  };
}
