// A filter acts as soon as it is chosen.
for (const one of document.querySelectorAll(".filters select")) one.addEventListener("change", () => one.form.requestSubmit());
