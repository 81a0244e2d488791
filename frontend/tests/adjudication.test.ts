import { expect, test, vi } from "vitest";
import { decidingApi, lacksReason } from "../src/api/adjudication";
import type { Api } from "../src/api/client";
import type { Adjudication, Decision } from "../src/api/types";

const FOUND = {
  id: "look", project: "p", case: { id: "c" }, protocol_version: 3, why: [], asked: [],
  reads: [
    { letter: "A", answer: { q: "none" }, flags: { cannot_be_read: false, ask_a_senior: true }, comment: "x" },
    { letter: "B", answer: { q: "some" }, flags: { cannot_be_read: false, ask_a_senior: false }, comment: "" },
  ],
} as unknown as Adjudication;

function opened(from: string, fail = false) {
  const decided: Decision[] = [];
  const leave = vi.fn();
  const server = {
    adjudication: async () => FOUND,
    decide: async (_: string, decision: Decision) => {
      if (fail) throw new Error("offline");
      decided.push(decision);
    },
  } as unknown as Api;
  return { decided, leave, api: decidingApi(server, { adjudication: "look", from, leave, now: () => 1000 }) };
}

test("a senior begins with the read that was taken, and without its comment", async () => {
  const { api } = opened("B");
  const [task] = await api.claim("p", 3);
  expect(task).toMatchObject({ id: "look", protocol_version: 3, asked: { why: "decide" } });
  expect(task?.draft).toMatchObject({ version: 1000, answer: { q: "some" }, comment: "" });
  expect((await opened("").api.claim("p", 1))[0]?.draft).toBeNull();
});

test("what is submitted is the decision, its comment the reason", async () => {
  const { api, decided, leave } = opened("A");
  const read = { read_id: "r", answer: { q: "much" }, flags: { cannot_be_read: false, ask_a_senior: false },
    comment: "clear", seconds: 7, base_revision: 0 };
  await api.submit("look", read);
  expect(decided).toEqual([{ answer: { q: "much" }, cannot_be_read: false, reason: "clear", seconds: 7, pick: "" }]);
  expect(leave).toHaveBeenCalledWith(true);
  expect(await api.claim("p", 1)).toEqual([]);
});

test("a decision that did not reach the server stays, and the page with it", async () => {
  const { api, leave } = opened("A", true);
  const read = { read_id: "r", answer: {}, flags: { cannot_be_read: true, ask_a_senior: false }, comment: "clear",
    seconds: 1, base_revision: 0 };
  await expect(api.submit("look", read)).rejects.toThrow("offline");
  expect(leave).not.toHaveBeenCalled();
  expect(await api.claim("p", 1)).toHaveLength(1);
});

test("a reason is needed; later leaves without a decision", async () => {
  expect(lacksReason("  ")).toContain("why");
  expect(lacksReason("clear")).toBeNull();
  const { api, decided, leave } = opened("");
  await api.skip("look", "");
  expect(leave).toHaveBeenCalledWith(false);
  expect(decided).toEqual([]);
});
