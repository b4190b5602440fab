// The guide: what to do now, and the one thing to press, lit up wherever it is.

import { byId, setText } from "./dom.js";
import { press } from "./door.js";
import { isShown } from "./look.js";
import { nodeOf } from "./messages.js";
import { hear, tell } from "./signals.js";
import { state } from "./state.js";

let lit = null;
let planned = false;

export function showGuide(guide) {
  const before = state.guide;
  state.guide = guide;
  const box = byId("guide");
  box.hidden = guide.number === 0;
  byId("guide-open").hidden = guide.number !== 0;
  setText(byId("guide-where"), `Step ${guide.number} of 6`);
  setText(byId("guide-title"), guide.title);
  setText(byId("guide-text"), guide.text);
  byId("guide-next").hidden = !guide.done;
  setText(byId("guide-next"), guide.number === 6 ? "Finish" : "Next");
  box.classList.toggle("done", guide.done);
  if (guide.suggestion !== before.suggestion) tell("guide");
  bringUp(guide.target, before.target);
  lightUp();
}

/** The thread of what is to be pressed, if it is a new target in another place. */
function bringUp(target, before) {
  if (!target?.ts || (before?.ts === target.ts && before?.action === target.action)) return;
  const message = state.messages.get(`${target.channel}:${target.ts}`);
  if (message && !nodeOf(`${target.channel}:${target.ts}`)) tell("open", { kind: "thread", channel: message.channel, root: message.root });
}

/** Lights the target up after the next drawing; nothing else is lit then. */
export function lightUp() {
  if (planned) return;
  planned = true;
  requestAnimationFrame(() => {
    planned = false;
    const next = target();
    if (next === lit) return;
    lit?.removeAttribute("data-lit");
    lit = next;
    lit?.setAttribute("data-lit", "");
    byId("guide-show").hidden = !lit || lit === byId("guide-next");
  });
}

/** What is lit: the thing to press, or the tab that leads to it. */
function target() {
  const found = wanted();
  const part = found?.closest("#talk, #evidence, #places");
  return part && !isShown(part.id) ? byId(`tab-${part.id}`) : found;
}

/** The thing to press, whether it is in sight or not. */
function wanted() {
  const { number, target: next } = state.guide;
  if (!number || !next) return null;
  // A dialog hides all else. One that the step did not ask for has nothing to press.
  const asked = next.kind === "action";
  if (byId("confirm").open) return asked ? byId("confirm-yes") : null;
  if (byId("modal").open) return asked && state.view?.submit ? byId("modal-submit") : null;
  if (next.user && next.user !== state.me) return document.querySelector(`#roles input[value="${next.user}"]`)?.parentElement;
  return element(next);
}

function element({ kind, action, channel, ts }) {
  switch (kind) {
    case "send":
      return state.place.kind === "home" ? document.querySelector("#channels button") : byId("send");
    case "action":
      return nodeOf(`${channel}:${ts}`)?.querySelector(`[data-action^="${CSS.escape(action)}"]`) ?? null;
    case "fault":
      return document.querySelector(`[data-fault="${action}"]`);
    default:
      return byId("guide-next");
  }
}

function showMe() {
  const found = wanted();
  const part = found?.closest("#talk, #evidence, #places");
  if (part) tell("part", part.id);
  found?.scrollIntoView({ block: "nearest" });
  (found?.matches("label") ? found.querySelector("input") : found)?.focus();
}

export function startGuide() {
  hear("place", lightUp);
  hear("drawn", lightUp);
  byId("guide-next").addEventListener("click", () => press("guide", { to: "next" }));
  byId("guide-away").addEventListener("click", () => press("guide", { to: "away" }));
  byId("guide-open").addEventListener("click", () => press("guide", { to: "start" }));
  byId("guide-show").addEventListener("click", showMe);
}
