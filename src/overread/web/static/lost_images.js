// An image that cannot be had says so in its place; comes another there, its words come back.
const WORDS = "The image cannot be had";

function gone(image) {
  if (!(image instanceof HTMLImageElement) || "gone" in image.dataset) return;
  image.dataset.gone = image.alt;
  image.alt = WORDS;
}

function there(image) {
  if (!(image instanceof HTMLImageElement) || !("gone" in image.dataset)) return;
  image.alt = image.dataset.gone;
  delete image.dataset.gone;
}

for (const one of document.images) if (one.complete && !one.naturalWidth && one.currentSrc) gone(one);
document.addEventListener("error", (event) => gone(event.target), true);
document.addEventListener("load", (event) => there(event.target), true);
