// Sends the form of a log-in link, once somebody really looks at the page: a browser that
// prepares pages in advance, and mail scanners that run no scripts, use nothing up.
const form = document.querySelector("form.enter[data-now]");
if (form && document.prerendering) {
  document.addEventListener("prerenderingchange", () => form.requestSubmit(), { once: true });
} else {
  form?.requestSubmit();
}
