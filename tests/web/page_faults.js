// What a person would call broken about a page: text that leaves its place or is covered, words cut
// in two, charts too small to read, boxes that touch, a page wider than its window.
() => {
  const found = [];
  if (document.documentElement.scrollWidth > innerWidth)
    found.push(`the page is ${document.documentElement.scrollWidth} wide`);
  const seen = (one) => one.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const words = [];
  const nodes = [];
  const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.textContent.trim();
    const parent = node.parentElement;
    if (!text || parent.closest("svg, script, option, pre") || !seen(parent)) continue;
    nodes.push({ text: node.textContent, parent, node });
    if (parent.closest(".scroll")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const at of range.getClientRects()) if (at.width > 1 && at.height > 1) words.push({ text, parent, at });
  }
  // a word that is broken, though it has no hyphen: by where its first and last letters stand
  for (const { text, parent, node } of nodes) for (const one of text.matchAll(/[\p{L}\d]{3,14}/gu)) {
    const ends = [one.index, one.index + one[0].length - 1].map((from) => {
      const letter = document.createRange();
      letter.setStart(node, from);
      letter.setEnd(node, from + 1);
      return letter.getBoundingClientRect();
    });
    if (!parent.closest("code") && ends[1].top > ends[0].bottom - 2) found.push(`broken: ${one[0]}`);
  }
  for (const { text, parent, at } of words) {
    let block = parent;
    while (getComputedStyle(block).display.startsWith("inline") && block.parentElement) block = block.parentElement;
    const place = block.getBoundingClientRect();
    if (at.left < place.left - 1 || at.right > place.right + 1) found.push(`leaves its place: ${text.slice(0, 60)}`);
  }
  for (const [n, one] of words.entries()) for (const other of words.slice(n + 1)) {
    const across = Math.min(one.at.right, other.at.right) - Math.max(one.at.left, other.at.left);
    const up = Math.min(one.at.bottom, other.at.bottom) - Math.max(one.at.top, other.at.top);
    if (one.parent !== other.parent && across > 2 && up > 6) found.push(`${one.text.slice(0, 40)} covers ${other.text.slice(0, 40)}`);
  }
  for (const one of document.querySelectorAll("main button, main .button, main input, main select, main img, main svg")) {
    const at = one.getBoundingClientRect();
    for (const word of words) {
      const across = Math.min(at.right, word.at.right) - Math.max(at.left, word.at.left);
      const up = Math.min(at.bottom, word.at.bottom) - Math.max(at.top, word.at.top);
      if (seen(one) && !one.contains(word.parent) && across > 2 && up > 3) found.push(`${word.text.slice(0, 40)} runs into ${one.tagName}`);
    }
    if (!one.closest(".scroll") && seen(one) && at.width && (at.right > innerWidth || at.left < 0))
      found.push(`out of the window: ${one.outerHTML.slice(0, 80)}`);
  }
  for (const one of document.querySelectorAll("main svg text"))
    if (seen(one) && one.getBoundingClientRect().height < 11) found.push(`too small to read: ${one.textContent}`);
  const cards = [...document.querySelectorAll("main .card")].filter(seen).map((one) => ({ one, at: one.getBoundingClientRect() }));
  for (const { one, at } of cards) for (const { one: other, at: below } of cards) {
    const across = Math.min(at.right, below.right) - Math.max(at.left, below.left);
    if (one !== other && !one.contains(other) && !other.contains(one) && across > 0 && Math.abs(below.top - at.bottom) < 6)
      found.push(`touches what is below: ${one.innerText.slice(0, 40)}`);
  }
  return found;
}
