// Where one can be: channels, their threads, the app's direct message and Home tab.

import { byId, el, reconcile, setText } from "./dom.js";
import { door } from "./door.js";
import { hear, tell } from "./signals.js";
import { bot, byTime, channelOf, keyOf, nameOf, replyCounts, state } from "./state.js";

const SHOWN = 12;

export function showChannels() {
  const { place } = state;
  const current = (here) => (here ? "page" : "false");
  const entry = (item) => ({ ...item, here: item.home ? place.kind === "home" : place.kind !== "home" && place.channel === item.id });
  const draw = (list, items) =>
    reconcile(byId(list), items.map(entry), {
      keyOf: (item) => item.id,
      make: (item) => {
        const button = el("button", { type: "button", aria: { current: current(item.here) } }, item.label);
        button.addEventListener("click", () => (item.home ? openHome() : openChannel(item.id)));
        return el("li", {}, button);
      },
      patch: (node, item) => {
        node.firstElementChild.setAttribute("aria-current", current(item.here));
        setText(node.firstElementChild, item.label);
      },
    });
  draw("channels", state.channels.filter((c) => !c.dm).map((c) => ({ id: c.id, label: nameOf(c) })));
  draw("app", [...state.channels.filter((c) => c.dm).map((c) => ({ id: c.id, label: "Messages" })), { id: "home", label: "Home", home: true }]);
}

/** The newest threads of the channel. */
export function showThreads() {
  const { channel, root } = state.place;
  const counts = replyCounts(channel);
  const roots = [...state.messages.values()].filter((m) => m.channel === channel && m.ts === m.root && counts.has(m.ts));
  const items = roots
    .sort(byTime)
    .slice(-SHOWN)
    .reverse()
    .map((message) => ({ key: keyOf(message), channel: message.channel, root: message.ts, label: titleOf(message), here: message.ts === root }));
  byId("no-threads").hidden = items.length > 0;
  reconcile(byId("threads"), items, {
    keyOf: (item) => item.key,
    make: (item) => {
      const button = el("button", { type: "button", aria: { current: item.here ? "page" : "false" } }, item.label);
      button.addEventListener("click", () => openThread(item.channel, item.root));
      return el("li", {}, button);
    },
    patch: (node, item) => {
      node.firstElementChild.setAttribute("aria-current", item.here ? "page" : "false");
      setText(node.firstElementChild, item.label);
    },
  });
}

function titleOf(message) {
  const text = message.parts.flatMap((part) => part.spans ?? []).map((span) => span.text).join("");
  return text.replace(new RegExp(`^@${bot.name}\\s*`, "i"), "").trim().slice(0, 60) || message.author;
}

export const openChannel = (channel) => open({ kind: "channel", channel, root: null });

export const openThread = (channel, root) => open({ kind: "thread", channel, root });

export function openHome() {
  open({ kind: "home", channel: state.place.channel, root: null });
  door("home", { tab: "home" });
}

/** Also after another person took over, who may not be in that channel. */
export function open(place) {
  const known = channelOf(place.channel);
  state.place = known ? place : { kind: "channel", channel: (channelOf(document.body.dataset.ops) ?? state.channels[0]).id, root: null };
  const channel = channelOf(state.place.channel);
  const title = { channel: nameOf(channel), thread: "Thread", home: `${bot.name}: Home` }[state.place.kind];
  setText(byId("place"), title);
  const back = byId("leave-thread");
  back.hidden = state.place.kind !== "thread";
  setText(back, `‹ ${nameOf(channel)}`);
  byId("composer").hidden = state.place.kind === "home";
  byId("talk").dataset.kind = state.place.kind;
  showChannels();
  showThreads();
  showStatus();
  tell("place");
}

/** What the app says it is doing in this thread. */
export function showStatus() {
  const status = state.statuses.get(`${state.place.channel}:${state.place.root}`);
  setText(byId("status"), status?.text ? `${bot.name} · ${status.text}` : "");
}

/** Follows a link to a message of this playground: `/archives/C…/p1700000000000100?thread_ts=…`. */
export function follow(url) {
  const [, archives, channel, message] = url.pathname.split("/");
  const ts = /^p(\d+)(\d{6})$/.exec(message ?? "");
  if (archives !== "archives" || !ts || !channelOf(channel)) return false;
  const found = state.messages.get(`${channel}:${ts[1]}.${ts[2]}`);
  openThread(channel, url.searchParams.get("thread_ts") ?? found?.root ?? `${ts[1]}.${ts[2]}`);
  const node = byId("messages").querySelector(`[data-ts="${ts[1]}.${ts[2]}"]`);
  node?.scrollIntoView({ block: "center" });
  node?.focus({ preventScroll: true });
  return true;
}

export function startPlaces() {
  hear("open", open);
  hear("threads", showThreads);
  byId("leave-thread").addEventListener("click", () => openChannel(state.place.channel));
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (link && link.origin === location.origin && follow(new URL(link.href))) event.preventDefault();
  });
}
