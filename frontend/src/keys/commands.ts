/** Every command of the reading page, with its group and usual key. */

export interface Command {
  readonly id: string;
  readonly title: string;
  readonly group: "Answer" | "Go" | "Draw" | "Look" | "Help";
  readonly key: string;
}

/**
 * Digits alone answer the question at hand: that is what a reader does most.
 * Window presets therefore lie on Shift and a digit; both are shown on the page.
 */
export const COMMANDS: readonly Command[] = [
  { id: "submit", title: "Submit, next case", group: "Go", key: "Enter" },
  { id: "previous", title: "Previous case", group: "Go", key: "d" },
  { id: "skip", title: "Skip this case", group: "Go", key: "Shift+S" },
  { id: "question", title: "Next question", group: "Go", key: "q" },
  { id: "next-frame", title: "Next frame", group: "Go", key: "ArrowDown" },
  { id: "previous-frame", title: "Previous frame", group: "Go", key: "ArrowUp" },
  { id: "cine", title: "Play or pause", group: "Go", key: "c" },
  { id: "cannot-read", title: "Cannot be read", group: "Answer", key: "x" },
  { id: "senior", title: "Ask a senior", group: "Answer", key: "s" },
  { id: "comment", title: "Comment", group: "Answer", key: "t" },
  { id: "pre-label", title: "Show the pre-label", group: "Answer", key: "a" },
  { id: "hints", title: "Show what stands out", group: "Look", key: "u" },
  { id: "next-hint", title: "Next hint", group: "Look", key: "Shift+U" },
  { id: "undo", title: "Undo", group: "Draw", key: "Ctrl+z" },
  { id: "redo", title: "Redo", group: "Draw", key: "Ctrl+y" },
  { id: "draw", title: "Draw (box, outline or brush)", group: "Draw", key: "b" },
  { id: "eraser", title: "Eraser", group: "Draw", key: "e" },
  { id: "fill", title: "Fill", group: "Draw", key: "f" },
  { id: "smaller", title: "Smaller brush", group: "Draw", key: "[" },
  { id: "larger", title: "Larger brush", group: "Draw", key: "]" },
  { id: "next-finding", title: "Next finding", group: "Draw", key: "n" },
  { id: "delete", title: "Delete the chosen finding", group: "Draw", key: "Delete" },
  { id: "place", title: "Put a box in the middle", group: "Draw", key: "p" },
  { id: "take-hint", title: "Make the hint a box", group: "Draw", key: "m" },
  { id: "copy-frame", title: "Copy from the frame before", group: "Draw", key: "y" },
  { id: "outlines", title: "Hide or show drawings", group: "Draw", key: "o" },
  { id: "window", title: "Window tool", group: "Look", key: "w" },
  { id: "zoom", title: "Zoom tool", group: "Look", key: "z" },
  { id: "hand", title: "Move tool", group: "Look", key: "h" },
  { id: "last-tool", title: "Back to the last tool", group: "Look", key: "v" },
  { id: "zoom-in", title: "Zoom in", group: "Look", key: "+" },
  { id: "zoom-out", title: "Zoom out", group: "Look", key: "-" },
  { id: "invert", title: "Invert", group: "Look", key: "i" },
  { id: "rotate-right", title: "Rotate right", group: "Look", key: "r" },
  { id: "rotate-left", title: "Rotate left", group: "Look", key: "l" },
  { id: "reset", title: "Reset the view", group: "Look", key: "Space" },
  { id: "guide", title: "Guideline and atlas", group: "Help", key: "g" },
  { id: "keys", title: "Keys", group: "Help", key: "?" },
];
