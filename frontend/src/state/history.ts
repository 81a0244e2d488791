/** Undo and redo over immutable values; a drag or a stroke is one step. */

export interface History<T> {
  readonly value: T;
  /** Change without a step of its own, as within a drag; the step is made by `settle`. */
  amend(value: T): void;
  /** End the step that began with the first `amend`. */
  settle(): void;
  /** One change, one step. */
  push(value: T): void;
  undo(): boolean;
  redo(): boolean;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
}

const MOST = 500;

export function history<T>(start: T): History<T> {
  let value = start;
  let before: { readonly value: T } | null = null;
  const past: T[] = [];
  let future: T[] = [];
  const self: History<T> = {
    get value() { return value; },
    get canUndo() { return past.length > 0 || before !== null; },
    get canRedo() { return future.length > 0; },
    amend(next) {
      before ??= { value };
      value = next;
    },
    settle() {
      if (before && before.value !== value) {
        past.push(before.value);
        if (past.length > MOST) past.shift();
        future = [];
      }
      before = null;
    },
    push(next) {
      self.amend(next);
      self.settle();
    },
    undo() {
      self.settle();
      const last = past.pop();
      if (last === undefined) return false;
      future.push(value);
      value = last;
      return true;
    },
    redo() {
      self.settle();
      const next = future.pop();
      if (next === undefined) return false;
      past.push(value);
      value = next;
      return true;
    },
  };
  return self;
}
