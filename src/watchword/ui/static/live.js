// Live pages: at each server-sent event fetch the page again and put its new #live in place.
const region = () => document.getElementById("live");
let busy = false, again = false;
async function refresh() {
  if (busy) { again = true; return; }
  busy = true;
  try {
    const answer = await fetch(location.href, { headers: { "X-Live": "1" } });
    if (answer.redirected) return location.reload();  // signed out meanwhile
    if (answer.ok) {
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
      const open = new Set([...region().querySelectorAll("details[open][id]")].map((d) => d.id));
      const focus = document.activeElement && region().contains(document.activeElement) ? document.activeElement.id : "";
      const known = new Set([...region().querySelectorAll("[data-key]")].map((e) => e.dataset.key));
      open.forEach((id) => { const d = fresh.querySelector("#" + CSS.escape(id)); if (d) d.open = true; });
      const fields = region().querySelectorAll("input[id]:not([type=hidden])");
      fields.forEach((f) => { const n = fresh.querySelector("#" + CSS.escape(f.id)); if (n) n.value = f.value; });
      const news = [...fresh.querySelectorAll("[data-key]")].filter((e) => !known.has(e.dataset.key));
      news.forEach((e) => e.classList.add("fresh"));
      region().replaceWith(document.adoptNode(fresh));
      if (focus) document.getElementById(focus)?.focus();
      if (news.length && document.hidden && wants()) news.forEach((e) => e.dataset.say && new Notification(e.dataset.say));
      if (news.length) say(news.map((e) => e.dataset.say || "").filter(Boolean).join(". "));
    }
  } finally {
    busy = false;
    if (again) { again = false; refresh(); }
  }
}
function say(text) { const s = document.getElementById("said"); if (s && text) s.textContent = text; }
const notify = document.getElementById("notify");
const wants = () => notify && Notification.permission === "granted";
const offer = () => { notify.hidden = Notification.permission !== "default"; };
if (notify && "Notification" in window) {
  offer();
  notify.addEventListener("click", async () => { await Notification.requestPermission(); offer(); });
}
const state = document.getElementById("state");
const source = new EventSource(document.body.dataset.events);
source.onopen = () => { if (state) { state.textContent = "live"; state.dataset.on = "1"; } };
source.onerror = () => { if (state) { state.textContent = "reconnecting"; delete state.dataset.on; } };
source.onmessage = refresh;
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  event.preventDefault();
  try { await navigator.clipboard.writeText(button.dataset.copy); }
  catch { const t = document.createElement("textarea"); t.value = button.dataset.copy; document.body.append(t); t.select(); document.execCommand("copy"); t.remove(); }
  button.dataset.copied = "1"; say("copied");
  setTimeout(() => delete button.dataset.copied, 1500);
});
