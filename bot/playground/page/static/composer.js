// The box to write in: messages, slash commands, files, with completions and the suggestion of the guide.

import { complete, isCompleting } from "./completion.js";
import { byId, el, setText } from "./dom.js";
import { door, markup } from "./door.js";
import { hear, tell } from "./signals.js";
import { bot, channelOf, state } from "./state.js";

const LARGEST = 8 * 1024 * 1024;

let suggested = "";
let attached = [];

/** Fills the guide's suggestion in, unless somebody is writing something of their own. */
export function suggest() {
  const box = byId("say");
  const wanted = state.guide.suggestion ?? "";
  if (box.value === "" || box.value === suggested) {
    box.value = wanted;
    suggested = wanted;
  }
  box.placeholder = state.place.kind === "thread" ? "Reply…" : `@${bot.name.toLowerCase()} …  or  ${bot.commands[0]?.name ?? "/"}`;
}

async function send(event) {
  event.preventDefault();
  const box = byId("say");
  const text = box.value.trim();
  if (!text && !attached.length) return;
  const done = text.startsWith("/") ? await command(text) : await post(text);
  if (!done) return;
  box.value = "";
  suggested = "";
  attach([]);
}

async function command(text) {
  if (state.place.kind === "thread") {
    setText(byId("trouble"), "Slash commands do not work in threads. Go back to the channel.");
    return null;
  }
  const [name, ...rest] = text.split(/\s+/);
  return door("command", { channel: state.place.channel, command: name, text: markup(rest.join(" ")) });
}

async function post(text) {
  const files = await Promise.all(attached.map(read));
  const posted = await door("post", { channel: state.place.channel, text: markup(text), thread_ts: state.place.root, files });
  if (!posted) return null;
  const asks = posted.text?.includes(`<@${bot.user}>`) || channelOf(posted.channel)?.dm;
  // The bot answers in the thread of what was said, so that is where one wants to be.
  if (asks && state.place.kind === "channel") tell("open", { kind: "thread", channel: posted.channel, root: posted.ts });
  return posted;
}

async function read(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return { name: file.name, content: btoa(binary), base64: true };
}

function attach(files) {
  const fits = files.filter((file) => file.size <= LARGEST);
  if (fits.length < files.length) setText(byId("trouble"), "A file may have at most 8 MB here.");
  attached = fits;
  setText(byId("attached"), fits.map((file) => file.name).join(", "));
  byId("files").value = "";
}

/** What the app proposes to ask, as buttons above the box. */
export function showPrompts() {
  const status = state.statuses.get(`${state.place.channel}:${state.place.root ?? ""}`);
  const buttons = (status?.prompts ?? []).map((prompt) => {
    const button = el("button", { type: "button", className: "plain" }, prompt.title);
    button.addEventListener("click", () => {
      byId("say").value = prompt.message;
      byId("say").focus();
    });
    return button;
  });
  byId("prompts").replaceChildren(...buttons);
}

export function startComposer() {
  hear("place", suggest);
  hear("place", showPrompts);
  hear("guide", suggest);
  byId("composer").addEventListener("submit", send);
  byId("say").addEventListener("input", complete);
  byId("say").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || isCompleting()) return;
    event.preventDefault();
    byId("composer").requestSubmit();
  });
  byId("attach").addEventListener("click", () => byId("files").click());
  byId("files").addEventListener("change", (event) => attach([...event.target.files]));
}
