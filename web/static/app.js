"use strict";
// Makes the console nicer where scripts run; every page works without. At most 150 lines, nothing from elsewhere.

// An error summary takes the focus, so that it is read first.
document.querySelector("[data-focus]")?.focus();

// The stage rail begins centred on the present stage, tabs on the present page.
for (const region of document.querySelectorAll("[data-centre]")) {
  const now = region.querySelector(".n.now,[aria-current]");
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

// A passkey signs the challenge that the server draws; where the browser knows none, its button stays hidden.
const keys = window.PublicKeyCredential;
for (const button of document.querySelectorAll("[data-passkey]")) {
  if (!keys?.parseRequestOptionsFromJSON) break;
  button.hidden = false;
  for (const hint of document.querySelectorAll("[data-no-passkey]")) hint.hidden = true;
  button.addEventListener("click", async () => {
    const form = button.form;
    if ("sends" in button.dataset && !form.reportValidity()) return;
    try {
      const body = new URLSearchParams({ csrf: form.elements.csrf.value });
      const answer = await fetch(button.dataset.passkey, { method: "POST", body });
      if (!answer.ok) throw answer;
      const asked = await answer.json();
      const made = asked.rp
        ? await navigator.credentials.create({ publicKey: keys.parseCreationOptionsFromJSON(asked) })
        : await navigator.credentials.get({ publicKey: keys.parseRequestOptionsFromJSON(asked) });
      form.elements.proof_passkey.value = JSON.stringify(made.toJSON());
    } catch {
      return button.focus(); // they changed their mind, or the key does not answer: the form stays as it is
    }
    if ("sends" in button.dataset) return form.submit();
    button.textContent = button.dataset.shown;
    button.disabled = true;
  });
}

// Keys, for who did not switch them off: / search, g i b p inbox board projects, j k up and down a list. None decides.
const PLACES = { i: "/inbox", b: "/board", p: "/projects", s: "/search" };
let goes = false;
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input,select,textarea,[contenteditable]");
  if (!("keys" in document.body.dataset) || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (goes && PLACES[event.key]) location.assign(PLACES[event.key]);
  goes = event.key === "g";
  if (event.key === "/") {
    event.preventDefault();
    const field = document.querySelector("input[type=search]");
    if (field) field.focus();
    else location.assign("/search");
  }
  if (event.key === "j" || event.key === "k") {
    const links = [...document.querySelectorAll(".tasks > li > span:first-child a, .tbl tbody th a, .pc h3 a")];
    const at = links.indexOf(document.activeElement) + (event.key === "j" ? 1 : -1);
    links[Math.max(0, Math.min(at, links.length - 1))]?.focus();
  }
});
