// What the page cannot do without a script: copy, choose colours, and show news as it comes.
(() => {
  "use strict";

  // --- colours: as the system, light, dark
  const root = document.documentElement;
  const themes = { "": "as the system", light: "light", dark: "dark" };
  const toggle = document.querySelector("[data-theme-toggle]");
  const nameTheme = () => toggle.setAttribute("aria-label", `Colours: ${themes[root.dataset.theme ?? ""]}`);
  if (toggle) {
    toggle.hidden = false;
    nameTheme();
    toggle.addEventListener("click", () => {
      const names = Object.keys(themes);
      const next = names[(names.indexOf(root.dataset.theme ?? "") + 1) % names.length];
      if (next) root.dataset.theme = next; else delete root.dataset.theme;
      try { localStorage.setItem("theme", next); } catch { /* it lasts as long as this page */ }
      nameTheme();
      toggle.title = toggle.getAttribute("aria-label");
    });
  }

  // --- copy
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const label = button.querySelector("[data-copy-label]") ?? button;
    const before = button.dataset.label ??= label.textContent;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      label.textContent = "Copied";
    } catch {
      label.textContent = "Cannot copy";
    }
    setTimeout(() => { label.textContent = before; }, 1600);
  });

  // --- news: [data-live="/url"]
  const lives = new Map(); // element -> EventSource
  const drawn = new WeakMap(); // element -> its HTML as it came

  const keepState = (old, fresh) => {
    if (fresh.matches("details")) fresh.open = old.open;
    for (const details of fresh.querySelectorAll("details[id]")) {
      const was = old.querySelector(`#${CSS.escape(details.id)}`);
      if (was) details.open = was.open;
    }
  };

  const showEmpty = (list) => {
    const empty = document.getElementById(list.dataset.liveEmpty);
    if (empty) empty.hidden = list.children.length > 0;
  };

  const put = (list, html) => {
    const opened = list.dataset.livePut === "yes"; // what the first look brings is no news
    list.dataset.livePut = "yes";
    const holder = document.createElement("template");
    holder.innerHTML = html;
    for (const fresh of [...holder.content.children]) {
      const old = document.getElementById(fresh.id);
      const text = fresh.outerHTML;
      if (old && (drawn.get(old) ?? old.outerHTML) === text) {
        drawn.set(old, text); // what somebody has opened or chosen in it stays as it is
        continue;
      }
      drawn.set(fresh, text);
      if (old) {
        const focused = old.contains(document.activeElement) && document.activeElement.id;
        keepState(old, fresh);
        old.replaceWith(fresh);
        if (focused) document.getElementById(focused)?.focus();
      } else {
        list.prepend(fresh);
        if (opened) fresh.classList.add("arrived");
      }
      window.htmx?.process(fresh);
    }
    showEmpty(list);
  };

  const say = (list, state) => {
    for (const shown of document.querySelectorAll(`[data-live-state="${list.id}"]`)) {
      shown.dataset.state = state;
      shown.lastElementChild.textContent = { on: "Live", off: "Reconnecting", paused: "Paused" }[state];
    }
  };

  const connect = (list) => {
    if (lives.has(list) || document.hidden) return;
    const source = new EventSource(list.dataset.live);
    lives.set(list, source);
    source.onopen = () => say(list, "on");
    source.onerror = () => {
      say(list, "off");
      if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      lives.delete(list);
      setTimeout(() => { if (list.isConnected) connect(list); }, 2000);
    };
    source.addEventListener("put", (event) => put(list, event.data));
    source.addEventListener("only", (event) => {
      const left = new Set(event.data.split("\n"));
      for (const child of [...list.children]) if (!left.has(child.id)) child.remove();
      showEmpty(list);
    });
  };

  const disconnect = (list) => {
    lives.get(list)?.close();
    lives.delete(list);
  };

  // A hidden tab gives its connection back: a browser has six for each server.
  const look = () => {
    for (const list of [...lives.keys()]) if (!list.isConnected || !list.dataset.live) disconnect(list);
    for (const list of document.querySelectorAll("[data-live]")) {
      if (document.hidden) { disconnect(list); say(list, "paused"); } else connect(list);
    }
  };
  document.addEventListener("visibilitychange", look);
  document.addEventListener("htmx:afterSettle", look);
  window.addEventListener("pagehide", () => { for (const list of [...lives.keys()]) disconnect(list); });
  window.addEventListener("pageshow", look);
  look();

  // --- Control-Enter sends the form that a text area is in
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("textarea")) {
      event.preventDefault();
      event.target.form?.requestSubmit();
    }
  });
})();
