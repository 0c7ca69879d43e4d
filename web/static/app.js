"use strict";
// Makes the console nicer where scripts run; every page works without. At most 150 lines, nothing from elsewhere.

// An error summary takes the focus, so that it is read first.
document.querySelector("[data-focus]")?.focus();

// The stage rail begins centred on the present stage.
for (const region of document.querySelectorAll("[data-centre]")) {
  const now = region.querySelector(".n.now");
  if (now) {
    const box = now.getBoundingClientRect();
    const frame = region.getBoundingClientRect();
    region.scrollLeft += box.left - frame.left - (frame.width - box.width) / 2;
  }
}

// A form is sent once, however often its button is pressed.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});
