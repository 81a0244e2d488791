/**
 * A look at an answer before it is sent: once a case, soon or not at all. What it finds is a hint
 * that the reader may follow or not; which of the two is told with the read.
 */
import type { Api } from "../api/client";
import type { Advice, Protocol, Told } from "../api/types";
import type { Answer, Flags } from "../model/answer";
import { canonical } from "./draft_sync";

export interface Look {
  /** What to look at again; none where it was told before, or nobody could look. */
  before(task: string, protocol: Protocol, answer: Answer, flags: Flags): Promise<readonly Told[]>;
  /** Of what was told: what is still as it was then. */
  left(answer: Answer): readonly Told[];
  /** What was told of this case, and whether it was followed, now that it is sent. */
  advice(task: string, answer: Answer): readonly Advice[];
}

export function openLook(api: Pick<Api, "check">): Look {
  let of = ""; // the case that was told of
  let told: readonly Told[] = [];
  let then: Answer = {};

  const about = (answer: Answer, { question, finding }: Told): string => {
    const value: unknown = answer[question];
    const drawn: readonly unknown[] = Array.isArray(value) ? value : [];
    const one = finding && drawn.find((each) => (each as { id?: string }).id === finding);
    return canonical(finding ? one ?? null : value ?? null);
  };
  const isLeft = (answer: Answer) => (one: Told): boolean => about(answer, one) === about(then, one);

  return {
    async before(task, protocol, answer, flags) {
      if (of === task || flags.cannot_be_read) return [];
      const asked = protocol.looked_at.map((id): unknown => answer[id]);
      if (!asked.some((value) => (Array.isArray(value) ? value.length > 0 : value !== undefined))) return [];
      const { hints } = await api.check(task, answer, protocol.version).catch(() => ({ hints: [] }));
      if (hints.length) [of, told, then] = [task, hints, answer];
      return hints;
    },
    left: (answer) => (told.length ? told.filter(isLeft(answer)) : told),
    advice: (task, answer) => (of !== task ? [] : told.map((one) => ({
      question: one.question, rule: one.rule, finding: one.finding, followed: !isLeft(answer)(one),
    }))),
  };
}
