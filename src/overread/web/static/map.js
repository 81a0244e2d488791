// A point of the map shows its image while the pointer, or the focus, is on it.
const shown = () => document.querySelector(".peek"); // the page may come anew

const pointOf = (event) => (event.target instanceof Element ? event.target.closest("svg.map a[data-case]") : null);

function show(event) {
  const peek = shown();
  const link = pointOf(event);
  if (!peek || !link) return;
  const image = peek.querySelector("img");
  const path = `/api/cases/${link.dataset.case}/thumbnail`;
  if (image.getAttribute("src") !== path) image.src = path;
  peek.querySelector("figcaption").textContent = link.getAttribute("aria-label");
  // not over the point itself
  const map = link.ownerSVGElement.getBoundingClientRect();
  peek.classList.toggle("left", link.getBoundingClientRect().left > map.left + map.width / 2);
  peek.hidden = false;
}

function hide(event) {
  const peek = shown();
  if (peek && pointOf(event)) peek.hidden = true; // elsewhere the pointer may go while a point has the focus
}

document.addEventListener("pointerover", show);
document.addEventListener("focusin", show);
document.addEventListener("pointerout", hide);
document.addEventListener("focusout", hide);
