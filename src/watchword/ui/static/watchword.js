// Opens a hosted page in a dialog over the app: <a href="https://…/p/WP…" data-watchword>Verify</a>.
// The page must have been made with Modal=true. Without this script the link simply leads there.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-watchword]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || !window.HTMLDialogElement) return;
  event.preventDefault();
  const dialog = document.createElement("dialog"), frame = document.createElement("iframe"), close = document.createElement("button");
  Object.assign(dialog.style, { padding: "0", border: "0", borderRadius: "14px", width: "min(100vw, 460px)", height: "min(100vh, 720px)", maxWidth: "100vw", maxHeight: "100vh", overflow: "hidden" });
  Object.assign(frame.style, { width: "100%", height: "100%", border: "0" });
  Object.assign(close.style, { position: "absolute", top: "8px", insetInlineEnd: "8px", width: "40px", height: "40px", font: "24px/1 system-ui", background: "none", border: "0", cursor: "pointer", color: "GrayText" });
  close.textContent = "×";
  close.setAttribute("aria-label", link.dataset.close || "Close");
  frame.title = link.textContent.trim();
  frame.allow = "otp-credentials";
  frame.src = link.href;
  const listen = (message) => {
    if (message.source !== frame.contentWindow || message.origin !== new URL(link.href).origin) return;
    const said = message.data?.watchword;
    if (said === "close" || said === "result") dialog.close();
    if (said !== "result") return;
    const told = new CustomEvent("watchword", { bubbles: true, cancelable: true, detail: { url: message.data.url } });
    if (link.dispatchEvent(told)) location.assign(message.data.url);
  };
  addEventListener("message", listen);
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => { removeEventListener("message", listen); dialog.remove(); link.focus(); });
  dialog.append(frame, close);
  document.body.append(dialog);
  dialog.showModal();
});
