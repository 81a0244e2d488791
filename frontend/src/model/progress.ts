/** Progress in words. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  /** A model learns: the total is what it will likely take. */
  readonly about?: boolean;
  readonly median_seconds: number | null;
  readonly left_seconds: number | null;
  /** Why there are no new cases, in words; "" where there are. */
  readonly paused?: string;
  /** Cases that wait to be looked at again, beside what the others say. */
  readonly feedback?: number;
}

/** "42 of 200, about 16 min left" */
export function progressWords(progress: Progress, onTheWay: number): string {
  const done = Math.min(progress.total, progress.done + onTheWay);
  const left = progress.total - done;
  const words = `${done} of ${progress.about ? "about " : ""}${progress.total}`;
  if (left === 0 && !progress.about) return `${words}, all done`;
  const before = progress.total - progress.done;
  const seconds = progress.left_seconds !== null && before > 0
    ? (progress.left_seconds * left) / before
    : progress.median_seconds !== null ? progress.median_seconds * left : null;
  return seconds === null ? words : `${words}, about ${duration(seconds)} left`;
}

export function duration(seconds: number): string {
  if (seconds < 60) return "1 min";
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.round(minutes / 30) / 2;
  return `${hours} h`;
}
