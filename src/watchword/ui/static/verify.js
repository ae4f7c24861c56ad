// What JavaScript adds to the hosted page: a clock that runs, autofill, one click one send, a way out of a frame.
(() => {
  const $ = (id) => document.getElementById(id), more = $("more"), code = $("code"), body = document.body.dataset;
  if (more) {
    const start = performance.now(), left = +more.dataset.left, units = more.dataset.units.split("|");
    const fill = (time) => more.dataset.wait.replace("{time}", time);
    const words = (s) => s < 60 ? units[0].replace("{n}", s) : s < 7200 ? units[1].replace("{n}", Math.ceil(s / 60)) : units[2].replace("{n}", Math.ceil(s / 3600));
    const clock = (s) => s >= 7200 ? words(s) : "\u2066" + Math.floor(s / 60) + ":" + String(s % 60).padStart(2, "0") + "\u2069";
    const tick = () => {
      const s = Math.max(0, Math.ceil(left - (performance.now() - start) / 1000));
      $("wait").textContent = s ? fill(clock(s)) : more.dataset.ready;
      if (s === 60 || s === 30 || s === 10) $("said").textContent = fill(words(s));
      if (s) return;
      clearInterval(timer);
      $("said").textContent = more.dataset.ready;
      more.querySelectorAll("[data-again]").forEach((b) => { b.removeAttribute("aria-disabled"); b.removeAttribute("aria-describedby"); });
    };
    const timer = left && setInterval(tick, 1000);
    if (left) tick();
    more.addEventListener("submit", (e) => {
      if (e.submitter && e.submitter.getAttribute("aria-disabled")) { e.preventDefault(); $("said").textContent = $("wait").textContent; }
    });
  }
  document.addEventListener("submit", (e) => {
    if (e.defaultPrevented) return;
    if (e.target.dataset.sent) return e.preventDefault();
    e.target.dataset.sent = 1;
  });
  addEventListener("pageshow", () => document.querySelectorAll("form").forEach((f) => delete f.dataset.sent));
  if (code && "OTPCredential" in window) {
    const stop = new AbortController();
    code.form.addEventListener("submit", () => stop.abort());
    navigator.credentials.get({ otp: { transport: ["sms"] }, signal: stop.signal })
      .then((found) => { if (found && found.code) { code.value = found.code; code.form.requestSubmit(); } })
      .catch(() => {});
  }
  if (body.parent && parent !== window) addEventListener("keydown", (e) => { if (e.key === "Escape") parent.postMessage({ watchword: "close" }, body.parent); });
  if (body.result && parent !== window) parent.postMessage({ watchword: "result", url: body.result }, body.parent);
})();
