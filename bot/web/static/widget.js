// A button on a school's page that opens the chat:
// <script src="https://…/widget.js" async></script>
(() => {
  "use strict";

  const LABEL = "Вопрос о входе в дневник";
  const HOST = "dnevnik-helpdesk-widget";
  const STYLE = `
    :host { all: initial; }
    * { box-sizing: border-box; }
    .button {
      position: fixed; right: 16px; bottom: 16px; z-index: 2147483000;
      display: flex; align-items: center; gap: 10px; min-height: 52px; max-width: calc(100vw - 32px);
      padding: 8px 20px 8px 16px; border: 2px solid #fff; border-radius: 28px;
      background: #1f5aa8; color: #fff; box-shadow: 0 4px 16px rgb(10 30 60 / 30%);
      font: 600 16px/1.25 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; text-align: left; cursor: pointer;
    }
    .button:hover { background: #174a8d; }
    .button:focus-visible { outline: 3px solid #1f5aa8; outline-offset: 3px; }
    svg { flex: none; width: 26px; height: 26px; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
    .panel {
      position: fixed; right: 16px; bottom: 84px; z-index: 2147483001;
      width: 400px; height: min(660px, calc(100vh - 100px)); max-width: calc(100vw - 32px);
      overflow: hidden; border: 1px solid #b9c4d3; border-radius: 16px; background: #eef1f5;
      box-shadow: 0 12px 40px rgb(10 30 60 / 30%); animation: rise .18s ease-out;
    }
    .panel[hidden] { display: none; }
    iframe { display: block; width: 100%; height: 100%; border: 0; }
    @keyframes rise { from { opacity: 0; transform: translateY(12px); } }
    @media (max-width: 480px), (max-height: 480px) {
      .panel { inset: 0; width: 100%; max-width: none; height: 100%; border: 0; border-radius: 0; }
    }
    @media (prefers-color-scheme: dark) { .panel { border-color: #323d4b; background: #12171e; } }
    @media (prefers-reduced-motion: reduce) { .panel { animation: none; } }
    @media print { .button, .panel { display: none; } }
  `;

  const script = document.currentScript;
  if (!script) return;
  const origin = new URL(script.src).origin;

  if (document.body) draw();
  else document.addEventListener("DOMContentLoaded", draw, { once: true });

  function draw() {
    if (document.getElementById(HOST)) return; // the line stands on the page twice
    const host = make("div", { id: HOST });
    // A shadow root keeps the school's styles out, an adopted sheet passes its content policy.
    const root = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];

    const button = make("button", { type: "button", class: "button", "aria-expanded": "false", "aria-controls": "panel" });
    button.append(icon(), LABEL);
    const panel = make("div", { id: "panel", class: "panel", role: "dialog", "aria-label": LABEL, hidden: "" });
    root.append(button, panel);
    document.body.append(host);

    button.addEventListener("click", () => (panel.hidden ? open() : close()));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !panel.hidden) close();
    });
    window.addEventListener("message", (event) => {
      const ours = event.origin === origin && event.source === frame()?.contentWindow;
      if (ours && event.data === "dnevnik-helpdesk:close") close();
    });

    function frame() {
      return panel.querySelector("iframe");
    }

    function open() {
      if (!frame()) panel.append(make("iframe", { src: `${origin}/chat?embed=1`, title: LABEL }));
      panel.hidden = false;
      button.setAttribute("aria-expanded", "true");
      frame().focus();
    }

    function close() {
      panel.hidden = true;
      button.setAttribute("aria-expanded", "false");
      button.focus();
    }
  }

  function make(tag, attributes) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }

  function icon() {
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS(space, "path");
    path.setAttribute("d", "M5 4h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-7l-5 4v-4H5a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2z");
    svg.append(path);
    return svg;
  }
})();
