// A point of the map shows its image while the pointer, or the focus, is on it; what is gone says so.
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

// An image that cannot be had says so in its place.
function gone(image) {
  if (!(image instanceof HTMLImageElement)) return;
  image.alt = "The image cannot be had";
  image.dataset.gone = "";
}

function there(image) {
  if (!(image instanceof HTMLImageElement) || !("gone" in image.dataset)) return;
  image.alt = "";
  delete image.dataset.gone;
}

for (const one of document.images) if (one.complete && !one.naturalWidth && one.currentSrc) gone(one);
document.addEventListener("error", (event) => gone(event.target), true);
document.addEventListener("load", (event) => there(event.target), true);
document.addEventListener("pointerover", show);
document.addEventListener("focusin", show);
document.addEventListener("pointerout", hide);
document.addEventListener("focusout", hide);
