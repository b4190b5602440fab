// The messages of the place where the person is: one node each, changed where it differs.

import { byId, el, keepingEnd, reconcile, remember, setText, stickToEnd, toEnd } from "./dom.js";
import { door } from "./door.js";
import { patchParts } from "./parts.js";
import { tell } from "./signals.js";
import { bot, byTime, isHere, keyOf, replyCounts, state } from "./state.js";

const nodes = new Map();
let counts = new Map();
let announced = "";

/** Draws the whole place anew; for another place, or another person. */
export function showMessages() {
  const list = byId("messages");
  nodes.clear();
  const here = state.place.kind === "home" ? [] : [...state.messages.values()].filter(isHere).sort(byTime);
  counts = state.place.kind === "channel" ? replyCounts(state.place.channel) : new Map();
  list.replaceChildren(...(state.place.kind === "home" ? [home()] : here.map(article)));
  if (!list.childElementCount) list.append(el("p", { className: "quiet empty" }, "Nothing was said here yet."));
  if (state.place.kind === "home") list.scrollTop = 0;
  else toEnd(list);
}

/** A message came, or changed. */
export function showMessage(message) {
  const isNew = !state.messages.has(keyOf(message));
  state.messages.set(keyOf(message), message);
  keepingEnd(byId("messages"), () => place(message));
  if (message.ts !== message.root) countReplies(message);
  if (isNew) tell("threads");
  if (isNew && message.bot && isHere(message)) announce(message);
}

export function removeMessage({ channel, ts }) {
  const key = `${channel}:${ts}`;
  const gone = state.messages.get(key);
  state.messages.delete(key);
  nodes.get(key)?.remove();
  nodes.delete(key);
  if (gone && gone.ts !== gone.root) countReplies(gone);
  tell("threads");
}

/** The Home tab changed. */
export function showHome() {
  if (state.place.kind !== "home") return;
  const old = byId("messages").querySelector(".home");
  if (old && state.home) patchParts(old, state.home.parts, actAtHome);
  else showMessages();
}

function place(message) {
  const list = byId("messages");
  const key = keyOf(message);
  const old = nodes.get(key);
  if (old) return patch(old, message);
  if (!isHere(message)) return null;
  list.querySelector(".empty")?.remove();
  let after = list.lastElementChild;
  while (after && after.dataset.ts > message.ts) after = after.previousElementSibling;
  const node = article(message);
  if (after) after.after(node);
  else list.prepend(node);
  return node;
}

function article(message) {
  const who = el("span", { className: "author" }, message.author);
  const at = new Date(parseFloat(message.ts) * 1000);
  const when = el("time", { className: "when", dateTime: at.toISOString() }, at.toLocaleTimeString(undefined, { timeStyle: "short" }));
  const node = el(
    "article",
    { className: message.ephemeral ? "ephemeral" : message.bot ? "bot" : "", tabIndex: -1, data: { key: keyOf(message), ts: message.ts } },
    el("div", { className: "face", ariaHidden: "true" }, message.author[0]),
    el(
      "div",
      { className: "body" },
      el("p", { className: "who" }, who, ...(message.bot ? [el("span", { className: "badge" }, "app")] : []), when, el("span", { className: "note edited" })),
      ...(message.ephemeral ? [el("p", { className: "note" }, "Only visible to you")] : []),
      el("div", { className: "parts" }),
      el("div", { className: "files" }),
      el("p", { className: "note reactions" }),
    ),
  );
  if (message.bot) node.querySelector(".face").classList.add("app");
  nodes.set(keyOf(message), node);
  return patch(node, message);
}

function patch(node, message) {
  const act = (block_id, action_id, value) => door("click", { channel: message.channel, ts: message.ts, block_id, action_id, value });
  patchParts(node.querySelector(".parts"), message.parts, act);
  setText(node.querySelector(".edited"), message.edited ? " (edited)" : "");
  setText(node.querySelector(".reactions"), message.reactions.map(({ name, count }) => `:${name}: ${count}`).join("  "));
  reconcile(node.querySelector(".files"), message.files, { keyOf: (file) => file.url, make: fileNode, patch: (_, file) => fileNode(file) });
  remember(node, keyOf(message), message);
  if (state.place.kind === "channel" && !message.ephemeral) threadButton(node, message);
  return node;
}

function threadButton(node, message) {
  const count = counts.get(message.root) ?? 0;
  const text = count ? `${count} ${count === 1 ? "reply" : "replies"}` : "Reply in a thread";
  let button = node.querySelector(".open-thread");
  if (!button) {
    button = el("button", { type: "button", className: "plain open-thread" });
    button.addEventListener("click", () => tell("open", { kind: "thread", channel: message.channel, root: message.root }));
    node.querySelector(".body").append(button);
  }
  setText(button, text);
}

function countReplies(reply) {
  const root = state.messages.get(`${reply.channel}:${reply.root}`);
  const node = root && nodes.get(keyOf(root));
  if (!node || state.place.kind !== "channel") return;
  counts = replyCounts(state.place.channel);
  threadButton(node, root);
}

function fileNode(file) {
  const link = el("a", { href: `${file.url}?user=${encodeURIComponent(state.me)}`, download: file.name }, file.title || file.name);
  const size = el("span", { className: "quiet" }, ` ${file.size.toLocaleString()} bytes`);
  const preview = file.preview ? [el("pre", { className: "code", tabIndex: 0 }, file.preview)] : [];
  return el("div", { className: "file" }, el("p", { className: "text" }, link, size), ...preview);
}

const actAtHome = (block_id, action_id, value) => door("click-view", { view_id: state.home.id, block_id, action_id, value });

function home() {
  const node = el("div", { className: "home" });
  if (state.home) patchParts(node, state.home.parts, actAtHome);
  else node.append(el("p", { className: "quiet" }, `${bot.name} has not put anything on its Home tab.`));
  return node;
}

/** For those who listen: that something came, not how it grows. */
function announce(message) {
  if (announced === keyOf(message)) return;
  announced = keyOf(message);
  setText(byId("announce"), `A message from ${message.author}.`);
}

/** The node of a message that is in sight. */
export const nodeOf = (key) => nodes.get(key);

export const startMessages = () => stickToEnd(byId("messages"));
