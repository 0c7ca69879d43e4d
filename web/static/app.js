"use strict";
// Makes the console nicer where scripts run; every page works without. At most 150 lines, nothing from elsewhere.
{
// An error summary takes the focus, so that it is read first.
document.querySelector("[data-focus]")?.focus();
// The stage rail begins centred on the present stage, tabs on the present page.
for (const now of document.querySelectorAll("[data-centre] :is(.n.now,[aria-current])")) {
  const region = now.closest("[data-centre]");
  const [box, frame] = [now, region].map((one) => one.getBoundingClientRect());
  region.scrollLeft += box.left - frame.left - (frame.width - box.width) / 2;
}
// On a phone the board opens the stages where somebody's own work is.
const folded = window.matchMedia("(max-width:40rem)").matches ? ".col>details:not([data-mine])" : "none";
for (const stage of document.querySelectorAll(folded)) stage.open = false;
// A form is sent once, however often its button is pressed.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
window.addEventListener("pageshow", () => [...document.forms].forEach((form) => delete form.dataset.sent));
for (const button of document.querySelectorAll("[data-shows]")) { // a password can be read before it is sent
  button.hidden = false;
  button.addEventListener("click", () => {
    const field = document.getElementById(button.dataset.shows);
    field.type = field.type === "text" ? "password" : "text";
    button.setAttribute("aria-pressed", field.type === "text");
  });
}
// A passkey signs the challenge that the server draws; where the browser knows none, its button stays hidden.
const keys = window.PublicKeyCredential;
for (const button of keys?.parseRequestOptionsFromJSON ? document.querySelectorAll("[data-passkey]") : []) {
  button.hidden = false;
  for (const hint of document.querySelectorAll("[data-no-passkey]")) hint.hidden = true;
  button.addEventListener("click", async () => {
    const form = button.form;
    if ("sends" in button.dataset && !form.reportValidity()) return;
    try {
      const body = new URLSearchParams({ csrf: form.elements.csrf.value });
      const asked = await (await fetch(button.dataset.passkey, { method: "POST", body })).json();
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

// A form that lives (data-live: the ids of what answers) is checked while somebody types: its first button, pressed unseen.
for (const form of document.querySelectorAll("form[data-live]")) {
  let waits = 0;
  form.addEventListener("input", (event) => {
    if (event.target.type === "file") return;
    clearTimeout(waits);
    waits = setTimeout(() => swap(form, form.dataset.live.split(" ").map((id) => document.getElementById(id))), 700);
  });
}
async function swap(form, targets) {
  const body = new FormData(form, form.querySelector("button"));
  targets[0].setAttribute("aria-busy", "true");
  try {
    const answer = await read(fetch(form.action, { method: "POST", body }));
    const isAsSent = [...new FormData(form)].every(([name, value]) => value instanceof File || value === body.get(name));
    for (const one of isAsSent ? targets : []) // all that it says or nothing: what was typed since is asked next
      if (!one.contains(document.activeElement)) one.replaceChildren(...answer.getElementById(one.id).childNodes);
      else for (const field of one.querySelectorAll("[id][name]")) field.value = (answer.getElementById(field.id) ?? field).value;
  } catch {} // the button stays
  targets[0].removeAttribute("aria-busy");
}
const read = async (answer) => new DOMParser().parseFromString(await (await answer).text(), "text/html");
// What polls (data-polls: who answers) asks twice a minute while it is seen; only a number that rises is said aloud.
for (const place of document.querySelectorAll("[data-polls]")) {
  let known = parseInt(place.textContent);
  const ask = async () => {
    const answer = !document.hidden && (await fetch(place.dataset.polls).catch(() => false));
    if (!answer.ok || answer.redirected) return;
    place.replaceChildren(...(await read(answer)).body.childNodes);
    const now = parseInt(place.textContent) || 0;
    if (now > known) document.getElementById("say").textContent = place.parentElement.textContent;
    known = now;
  };
  if (isNaN(known)) ask();
  setInterval(ask, 30000);
}

// A file on its way shows how much of it has left; where it cannot be measured, the browser sends it as ever.
for (const form of document.querySelectorAll("form[enctype='multipart/form-data']")) {
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented || ![...form.querySelectorAll("[type=file]")].some((field) => field.files.length)) return;
    const bar = form.appendChild(document.createElement("progress"));
    bar.setAttribute("aria-label", document.body.dataset.sending);
    if ("measured" in form.dataset) measured(form, event, bar);
  });
}
function measured(form, event, bar) {
  event.preventDefault();
  const request = new XMLHttpRequest(); // a redirect is told it: one that is followed unseen, as a proxy's, loses its #place
  request.upload.onprogress = (event) => Object.assign(bar, { max: event.total, value: event.loaded });
  request.upload.onload = () => bar.removeAttribute("value"); // all of it has left: the answer is awaited
  request.onload = () => {
    const to = request.getResponseHeader("x-location") ?? (request.responseURL !== form.action && request.responseURL);
    if (!to) return (document.write(request.responseText), document.close());
    location.assign(to);
    if (to.split("#")[0] === location.pathname + location.search) location.reload();
  };
  request.onerror = () => {
    bar.remove();
    for (const mark of ["sent", "measured"]) delete form.dataset[mark];
    form.requestSubmit(event.submitter);
  };
  request.open("POST", form.action);
  request.setRequestHeader("x-measured", "yes");
  request.send(new FormData(form, event.submitter));
}

// Keys, for who did not switch them off; the sheet (?) is the table of where they lead. None decides.
const sheet = document.getElementById("keys");
const LINKS = ".tasks > li > span:first-child a, .tbl tbody th a, .pc h3 a";
const KEYS = {
  "?": () => sheet.showModal(),
  ".": (menu = document.activeElement.closest(".pc")?.querySelector(".menu:not([open]) summary")) =>
    menu ? (menu.click(), menu.focus()) : document.querySelector(".acts a, .acts button, .acts summary")?.focus(),
  "/": (field = document.querySelector("main input[type=search]")) => (field ? field.focus() : location.assign("/search")),
  x: () => document.activeElement.closest("tr, li")?.querySelector("input[type=checkbox]")?.click(),
  j: () => step(1),
  k: () => step(-1),
};
function step(by) {
  const links = [...document.querySelectorAll(LINKS)];
  links[Math.max(0, Math.min(links.indexOf(document.activeElement) + by, links.length - 1))]?.focus();
}
document.querySelector("[data-sheet]")?.addEventListener("click", (event) => (event.preventDefault(), sheet.showModal()));
let goes = false;
document.addEventListener("keydown", (event) => {
  if (!sheet || sheet.open || event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.closest("input:not([type=checkbox]),select,textarea,[contenteditable]");
  if (event.key === "Escape") (typing ?? event.target.closest("details[open]")?.firstElementChild)?.[typing ? "blur" : "click"]();
  if (typing) return;
  const place = goes && sheet.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  goes = event.key === "g";
  if (place) return location.assign(place.href);
  if (KEYS[event.key]) (event.preventDefault(), KEYS[event.key]());
});
}
