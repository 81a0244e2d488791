// What a reader answered to one question, in words.
export const isFinding = (one) => one !== null && typeof one === "object";

export function said(value) {
  if (value === undefined || value === null) return "cannot be read";
  if (!Array.isArray(value)) return String(value);
  if (!value.length) return "no finding";
  if (!isFinding(value[0])) return value.join(", ");
  if (value[0].runs) return `painted on ${value.length} ${value.length === 1 ? "frame" : "frames"}`;
  const counts = new Map();
  for (const { class: name } of value) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => `${count} × ${name}`).join(", ");
}
