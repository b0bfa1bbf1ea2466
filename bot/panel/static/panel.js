// What a browser adds to the panel's pages; every page works without it.
"use strict";

(() => {
  const NEAR = 80; // pixels from the end that still count as «at the end»
  const MEGABYTE = 1024 * 1024;
  const scroll = document.getElementById("scroll");
  const answer = document.getElementById("answer");
  const offline = document.getElementById("offline");

  // A refresh must not fold up what the reader has unfolded.
  Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) =>
    !(name === "open" && node instanceof HTMLDetailsElement);

  let atEnd = false;
  document.addEventListener("htmx:beforeSwap", () => {
    atEnd = Boolean(scroll) && scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR;
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (atEnd) scroll.scrollTop = scroll.scrollHeight;
  });

  const trouble = () => { offline.hidden = false; };
  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    document.addEventListener(name, trouble);
  }
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) offline.hidden = true;
  });

  // A second click while the first is on its way would do no harm, but looks as if nothing happened.
  document.addEventListener("submit", (event) => {
    for (const button of event.target.querySelectorAll("button")) button.disabled = true;
  });
  window.addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("button:disabled")) button.disabled = false;
  });

  if (!answer) return;
  const { text, files } = answer.elements;
  const notice = document.getElementById("notice");

  const grow = () => {
    text.rows = Math.min(12, Math.max(2, text.value.split("\n").length));
  };
  text.addEventListener("input", grow);

  // A ready answer goes behind what is typed already; without scripts its link opens the page with it.
  for (const link of document.querySelectorAll("a[data-template]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      text.value = [text.value.trimEnd(), link.dataset.text].filter(Boolean).join("\n\n");
      answer.elements.template.value = link.dataset.template;
      link.closest("details").open = false;
      grow();
      text.focus();
    });
  }
  grow();
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) {
      event.preventDefault();
      answer.requestSubmit();
    }
  });

  const complaint = () => {
    const chosen = [...files.files];
    const { most, file, all } = files.dataset;
    if (chosen.length > Number(most)) return `С одним ответом можно отправить не больше ${most} файлов.`;
    if (chosen.some((each) => each.size > Number(file))) return `Файл больше ${Number(file) / MEGABYTE} МБ. Отправьте файл поменьше.`;
    if (chosen.reduce((sum, each) => sum + each.size, 0) > Number(all)) return `Файлы вместе больше ${Number(all) / MEGABYTE} МБ. Отправьте их по частям.`;
    return "";
  };
  files.addEventListener("change", () => { notice.textContent = complaint(); });
  // In the capture phase: before the buttons are put to sleep.
  answer.addEventListener("submit", (event) => {
    const said = complaint() || (text.value.trim() || files.files.length ? "" : "Напишите ответ или приложите файл.");
    notice.textContent = said;
    if (!said) return;
    event.preventDefault();
    event.stopPropagation();
    text.focus();
  }, true);
})();
