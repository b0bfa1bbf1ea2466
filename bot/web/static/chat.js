// The chat page: shows the conversation, sends what the visitor says, waits for news.
// Data becomes text nodes and attributes only, never markup.

const LIMITS = document.body.dataset;
const TYPING_MS = 8_000;
const SEND_TIMEOUT_MS = 120_000;
const ANSWER_TIMEOUT_MS = 40_000; // the feed answers within 25 s
const RETRY_SECONDS = [1, 2, 5, 10, 20];
const IMAGES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);
const ADDRESS = /https?:\/\/[^\s<>«»"]*[^\s<>«»".,;:!?)]/;
const PHONE = /8 800 \d{3}-\d{2}-\d{2}/;
const TITLE = document.title;

const at = (id) => document.getElementById(id);
const icon = (name) => at(`icon-${name}`).content.cloneNode(true);
const log = at("log");
const input = at("text");

// ── What the browser keeps ──

/** A drawer of the browser's storage; where that is forbidden, it lasts as long as the page. */
function drawer(storage, name) {
  const key = `dnevnik-helpdesk.${name}`;
  let copy = "";
  return {
    get() {
      try {
        return window[storage].getItem(key) ?? "";
      } catch {
        return copy;
      }
    },
    set(value) {
      copy = value;
      try {
        window[storage].setItem(key, value);
      } catch {
        // Private mode: the copy has to do.
      }
    },
  };
}

const token = drawer("localStorage", "token");
const greeted = drawer("sessionStorage", "greeted");
const unsent = drawer("sessionStorage", "unsent");

// ── The server ──

class Refused extends Error {
  constructor(response, body) {
    super(body.error ?? "Что-то пошло не так.");
    this.status = response.status;
    this.retryAfter = Number(response.headers.get("Retry-After"));
  }
}

let session = null;

/** The visitor's token; one request for a new one, however many ask at once. */
function identify() {
  if (token.get()) return Promise.resolve(token.get());
  session ??= request("/chat/session", { method: "POST" })
    .then((body) => (token.set(body.token), body.token))
    .finally(() => (session = null));
  return session;
}

async function ask(path, options = {}, timeout = ANSWER_TIMEOUT_MS) {
  const bearer = await identify();
  try {
    return await request(path, { ...options, headers: { Authorization: `Bearer ${bearer}` } }, timeout);
  } catch (error) {
    if (error.status === 401 && token.get() === bearer) token.set("");
    throw error;
  }
}

async function request(path, options, timeout = ANSWER_TIMEOUT_MS) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), timeout);
  try {
    const response = await fetch(path, { ...options, signal: abort.signal, cache: "no-store", credentials: "omit" });
    const body = await response.json().catch(() => ({}));
    if (response.ok) return body;
    throw new Refused(response, body);
  } finally {
    clearTimeout(timer);
  }
}

// ── Drawing ──

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function pushButton(attributes, pressed, ...children) {
  const button = make("button", { type: "button", ...attributes }, ...children);
  button.addEventListener("click", pressed);
  return button;
}

function link(address, attributes, ...children) {
  if (!/^(https?:\/\/|blob:|\/chat\/files\/)/.test(address)) return make("span", {}, ...children);
  return make("a", { ...attributes, href: address, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

/** Spans cut into lines, so that a numbered step can hang and an empty line is a small gap. */
function rows(spans) {
  const lines = [[]];
  for (const span of spans) {
    span.t.split("\n").forEach((text, index) => {
      if (index) lines.push([]);
      if (text) lines.at(-1).push({ ...span, t: text });
    });
  }
  return lines.some((line) => line.length) ? lines.map(drawLine) : [];
}

function drawLine(spans) {
  const mark = /^(\d{1,2}\.|[-–—•]) /.exec(spans[0]?.t ?? "")?.[0];
  if (!mark) return make("div", { class: "row" }, ...spans.flatMap(drawSpan));
  const rest = [{ ...spans[0], t: spans[0].t.slice(mark.length) }, ...spans.slice(1)];
  return make("div", { class: "row item" }, make("span", {}, mark), make("span", {}, ...rest.flatMap(drawSpan)));
}

function drawSpan(span) {
  const nodes = span.u ? [link(span.u, {}, span.t)] : withLinks(span.t);
  return span.b ? make("strong", {}, ...nodes) : nodes;
}

/** Makes bare addresses and the free phone number work at a touch. */
function withLinks(text) {
  const address = ADDRESS.exec(text);
  const found = address ?? PHONE.exec(text);
  if (!found) return [text];
  const words = found[0];
  const drawn = address
    ? link(words, {}, words)
    : make("a", { class: "phone", href: `tel:${words.replace(/\D/g, "")}` }, words);
  return [...withLinks(text.slice(0, found.index)), drawn, ...withLinks(text.slice(found.index + words.length))];
}

function drawFile(file) {
  const address = file.blob ?? `/chat/files/${encodeURIComponent(file.ref)}`;
  if (IMAGES.has(file.mime)) {
    const image = make("img", { src: address, alt: file.name, loading: "lazy" });
    image.addEventListener("load", keepAtBottom);
    return link(address, { class: "thumb", title: "Открыть изображение" }, image);
  }
  return link(address, { class: "paper", download: file.name }, icon("sheet"), file.name);
}

function drawButton(button, message) {
  if (button.url) return link(button.url, { class: "choice" }, button.label);
  const words = { text: button.label, button: button.payload, reply_to: String(message.id) };
  return pushButton({ class: "choice" }, () => say(words), button.label);
}

let lastDay = "";

/** Adds a message to the log and returns its element. */
function show(message) {
  const follow = atBottom();
  const when = new Date(message.at);
  announceDay(when);

  const bubble = make("div", { class: "bubble" }, ...rows(message.text_spans ?? []));
  if (message.files?.length) bubble.append(make("div", { class: "files" }, ...message.files.map(drawFile)));

  const clock = when.toLocaleTimeString("ru-RU", { hour: "2-digit", minute: "2-digit" });
  const article = make(
    "article",
    { class: message.own ? "message own" : "message", "data-id": message.id ?? "" },
    make("p", { class: "quiet" }, message.own ? "Вы:" : "Помощник:"),
    bubble,
    make("time", { class: "time", datetime: message.at }, clock),
  );
  const choices = (message.buttons ?? []).flat();
  if (choices.length) {
    const group = make("div", { class: "choices", role: "group", "aria-label": "Варианты ответа" });
    group.append(...choices.map((button) => drawButton(button, message)));
    article.append(group);
  }
  log.querySelectorAll(".message").forEach((older) => older.classList.add("older"));
  log.append(article);
  // To the end, but not past the beginning of a long message.
  const top = article.offsetTop - log.offsetTop - 12;
  if (follow || message.own) log.scrollTop = Math.min(log.scrollHeight, top);
  return article;
}

function announceDay(when) {
  const day = when.toDateString();
  if (day === lastDay) return;
  lastDay = day;
  const date = when.toLocaleDateString("ru-RU", { day: "numeric", month: "long" });
  log.append(make("p", { class: "day" }, day === new Date().toDateString() ? "Сегодня" : date));
}

let sticking = true;

function atBottom() {
  return log.scrollHeight - log.scrollTop - log.clientHeight < 80;
}

function keepAtBottom() {
  if (sticking) log.scrollTop = log.scrollHeight;
}

let typingTimer = 0;

function showTyping(on) {
  clearTimeout(typingTimer);
  at("typing").hidden = !on;
  if (on) typingTimer = setTimeout(() => showTyping(false), TYPING_MS);
}

// ── Sending ──

const queue = [];
let pumping = false;
const sleepers = new Set();

/** Puts a message in the line, shows it at once; a start has nothing to show. */
function say(words, { id = newId(), files = [] } = {}) {
  const item = { id, words, files, article: null };
  if (words.start === undefined) {
    const shownFiles = files.map((file) => ({ name: file.name, mime: file.type, blob: URL.createObjectURL(file) }));
    const said = { id, own: true, at: new Date().toISOString(), text_spans: [{ t: words.text }], files: shownFiles };
    item.article = show(said);
    item.article.classList.add("waiting");
  }
  queue.push(item);
  keepUnsent();
  pump();
}

/** Sends one after another, in order; what fails for now stays first and is tried again. */
async function pump() {
  if (pumping) return;
  pumping = true;
  for (let tries = 0; queue.length; tries += 1) {
    const item = queue[0];
    item.heard = newest;
    try {
      const taken = await ask("/chat/messages", { method: "POST", body: form(item) }, SEND_TIMEOUT_MS);
      settle(item, "", taken.bot_answers);
      tries = -1;
    } catch (error) {
      if (error.status < 500 && ![401, 429].includes(error.status)) {
        settle(item, error.message);
        tries = -1;
        continue;
      }
      if (error.status !== 401 || tries) offerRetry(item);
      await sleep(pauseAfter(error, tries));
    }
  }
  pumping = false;
}

function form(item) {
  const body = new FormData();
  body.set("id", item.id);
  for (const [name, value] of Object.entries(item.words)) body.set(name, value);
  for (const file of item.files) body.append("files", file, file.name);
  return body;
}

function settle(item, refusal, botAnswers = false) {
  queue.shift();
  keepUnsent();
  if (item.article) {
    item.article.classList.remove("waiting");
    item.article.querySelector(".failed")?.remove();
    if (refusal) fail(item, `Не отправлено. ${refusal}`);
  }
  if (item.words.start !== undefined) noteStarted();
  // The answer may have come before the receipt.
  if (botAnswers && newest === item.heard) showTyping(true);
}

function offerRetry(item) {
  showTyping(false);
  if (!item.article || item.article.querySelector(".failed")) return;
  // The button will be gone when it worked: the focus goes where one writes.
  fail(item, "Не отправлено.", pushButton({}, () => (wakeAll(), input.focus()), "Повторить"));
}

function fail(item, ...content) {
  item.article.append(make("p", { class: "failed" }, ...content));
  keepAtBottom();
}

function pauseAfter(error, tries) {
  return error.retryAfter || RETRY_SECONDS[Math.min(tries, RETRY_SECONDS.length - 1)];
}

/** Waits, or less: until somebody presses «Повторить» or the connection is back. */
function sleep(seconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, seconds * 1000);
    sleepers.add(resolve);
  });
}

function wakeAll() {
  sleepers.forEach((wake) => wake());
  sleepers.clear();
}

/** Words survive a reload; files cannot, and what the server has need not. */
function keepUnsent() {
  const words = queue.filter((item) => !item.files.length && item.article && !item.arrived);
  unsent.set(words.length ? JSON.stringify(words.map(({ id, words }) => ({ id, words }))) : "");
}

/** A version 4 UUID; crypto.randomUUID is missing on pages without HTTPS. */
function newId() {
  const random = () => crypto.getRandomValues(new Uint8Array(1))[0];
  const digit = (place) => (place ^ (random() & (15 >> (place / 4)))).toString(16);
  return "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (place) => digit(Number(place)));
}

// ── Receiving ──

let newest = 0;
let missed = 0;

async function open() {
  const past = await stubbornly(() => ask("/chat/history"));
  past.messages.forEach(show);
  newest = past.after;
  keepAtBottom();
  log.setAttribute("aria-busy", "false");
  sayAgain(past.messages);
  greet(past.messages.length === 0);
  for (;;) {
    const news = await stubbornly(() => ask(`/chat/feed?after=${newest}`));
    news.messages.forEach(hear);
  }
}

function hear(message) {
  if (message.id <= newest) return;
  newest = message.id;
  if (message.instead_of) return replace(message);
  showTyping(false);
  show(message);
  if (document.hidden) document.title = `(${++missed}) ${TITLE}`;
}

/** Shows what the server keeps of one's own message in its place, or nothing. */
function replace({ instead_of: id, text_spans: spans }) {
  if (queue[0]?.id === id) queue[0].arrived = true;
  keepUnsent();
  const own = [...log.querySelectorAll(".own")].find((article) => article.dataset.id === id);
  if (!spans.length) return own?.remove();
  own?.querySelectorAll(".row").forEach((row) => row.remove());
  return own?.querySelector(".bubble").prepend(...rows(spans));
}

/** Tries until it works, and says when the connection is gone. */
async function stubbornly(attempt) {
  for (let tries = 0; ; tries += 1) {
    try {
      const result = await attempt();
      at("offline").hidden = true;
      return result;
    } catch (error) {
      if (error.status !== 401 || tries) at("offline").hidden = !(tries || !navigator.onLine);
      await sleep(pauseAfter(error, tries));
    }
  }
}

function sayAgain(arrived) {
  const known = new Set(arrived.map((message) => message.id));
  const left = JSON.parse(unsent.get() || "[]").filter(({ id }) => !known.has(id));
  left.forEach(({ id, words }) => say(words, { id }));
  keepUnsent();
}

/** Says «start» on the first visit, and whenever a deep link brought the visitor here. */
function greet(firstVisit) {
  const asked = new URL(location.href).searchParams;
  const school = asked.get("school");
  const given = school ? `school-${school}` : (asked.get("start") ?? "");
  const start = /^[A-Za-z0-9_-]{1,64}$/.test(given) ? given : "";
  if (start || (firstVisit && !greeted.get())) say({ start });
}

/** A reload must not start again. */
function noteStarted() {
  greeted.set("1");
  const address = new URL(location.href);
  ["start", "school"].forEach((name) => address.searchParams.delete(name));
  history.replaceState(null, "", address);
}

// ── The form ──

let chosen = [];

function choose(files) {
  const all = [...chosen, ...files];
  const size = all.reduce((sum, file) => sum + file.size, 0);
  if (all.length > LIMITS.limitFiles) return complain(`Можно приложить не больше ${LIMITS.limitFiles} файлов.`);
  if (all.some((file) => file.size > LIMITS.limitFile)) return complain(`Файл больше ${megabytes(LIMITS.limitFile)}.`);
  if (size > LIMITS.limitUpload) return complain(`Файлы вместе больше ${megabytes(LIMITS.limitUpload)}.`);
  complain("");
  chosen = all;
  return drawChosen();
}

function drawChosen() {
  at("chosen").hidden = !chosen.length;
  at("chosen").replaceChildren(
    ...chosen.map((file) => {
      const remove = pushButton({ "aria-label": `Убрать файл ${file.name}` }, () => unchoose(file), icon("cross"));
      return make("li", {}, make("span", {}, file.name), make("small", {}, megabytes(file.size)), remove);
    }),
  );
}

function unchoose(file) {
  chosen = chosen.filter((other) => other !== file);
  complain("");
  drawChosen();
  at("attach").focus();
}

function megabytes(bytes) {
  if (bytes < 100_000) return `${Math.ceil(bytes / 1024)} КБ`;
  return `${(bytes / 1024 ** 2).toLocaleString("ru-RU", { maximumFractionDigits: 1 })} МБ`;
}

function complain(text) {
  at("notice").textContent = text;
}

function fit() {
  input.style.height = "auto";
  input.style.height = `${input.scrollHeight + 2}px`;
}

function submit(event) {
  event?.preventDefault();
  const text = input.value.trim();
  if (!text && !chosen.length) return input.focus();
  const files = chosen;
  chosen = [];
  input.value = "";
  drawChosen();
  complain("");
  fit();
  say({ text }, { files });
  return input.focus();
}

at("composer").addEventListener("submit", submit);
input.addEventListener("input", fit);
input.addEventListener("keydown", (event) => {
  // While a word is being composed, Enter belongs to the keyboard's suggestions.
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
});
input.addEventListener("paste", (event) => {
  // Office programs offer a picture of the text beside the text itself.
  if (!event.clipboardData.types.includes("text/plain")) choose(event.clipboardData.files);
});
at("attach").addEventListener("click", () => at("files").click());
at("files").addEventListener("change", (event) => {
  choose(event.target.files);
  event.target.value = "";
  input.focus();
});
log.addEventListener("scroll", () => (sticking = atBottom()));
new ResizeObserver(keepAtBottom).observe(log);
window.addEventListener("offline", () => (at("offline").hidden = false));
window.addEventListener("online", () => {
  at("offline").hidden = true;
  wakeAll();
});
document.addEventListener("visibilitychange", () => {
  missed = 0;
  document.title = TITLE;
});
if (at("fold")) {
  const fold = () => window.parent.postMessage("dnevnik-helpdesk:close", "*");
  at("fold").addEventListener("click", fold);
  document.addEventListener("keydown", (event) => event.key === "Escape" && fold());
  if (document.hasFocus()) input.focus();
}
open();
