/** Active reading seconds: time at a hidden tab, and beyond 30 s without a sign of life, is left out. */

export interface ActiveClock {
  /** Begin a case that has `seconds` already. */
  start(seconds: number, now: number): void;
  /** The reader moved, pressed or scrolled. */
  activity(now: number): void;
  hide(now: number): void;
  show(now: number): void;
  seconds(now: number): number;
}

export const IDLE_MS = 30_000;

/** All times in milliseconds of any steady clock. */
export function activeClock(idleMs: number = IDLE_MS): ActiveClock {
  let counted = 0;
  let last = 0;
  let hidden = false;
  const since = (now: number): number => (hidden ? 0 : Math.max(0, Math.min(now - last, idleMs)));
  const settle = (now: number): void => {
    counted += since(now);
    last = now;
  };
  return {
    start(seconds, now) { [counted, last] = [seconds * 1000, now]; },
    activity: settle,
    hide(now) { settle(now); hidden = true; },
    show(now) { hidden = false; last = now; },
    seconds: (now) => Math.round((counted + since(now)) / 100) / 10,
  };
}
