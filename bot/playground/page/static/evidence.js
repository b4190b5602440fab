// What really happened: counters, fault buttons with their verdicts, the timeline.

import { byId, el, keepingEnd, reconcile, setText, stickToEnd, toEnd } from "./dom.js";
import { press } from "./door.js";
import { tell } from "./signals.js";
import { state } from "./state.js";

const KEPT = 400;
const lines = new Map();
const trials = new Map();

export function showCounters(counters) {
  for (const node of document.querySelectorAll("[data-counter]")) {
    const text = String(counters[node.dataset.counter]);
    if (node.textContent === text) continue;
    setText(node, text);
    node.classList.remove("counted");
    void node.offsetWidth; // lets the same animation begin anew
    node.classList.add("counted");
  }
}

/** All of it, after the page or the person changed. */
export function showTimeline(entries) {
  lines.clear();
  byId("timeline").replaceChildren(...entries.map(lineOf));
  toEnd(byId("timeline"));
}

/** One line came, or grew. */
export function showEntry(entry) {
  const list = byId("timeline");
  keepingEnd(list, () => {
    const old = lines.get(entry.number);
    if (old) fill(old, entry);
    else list.append(lineOf(entry));
    while (list.childElementCount > KEPT) {
      lines.delete(Number(list.firstElementChild.dataset.number));
      list.firstElementChild.remove();
    }
  });
}

function lineOf(entry) {
  const node = el(
    "div",
    { className: `line ${entry.kind}`, data: { number: entry.number } },
    el("time"),
    el("p", {}, el("span", { className: "what" }), " ", el("span", { className: "detail" })),
  );
  lines.set(entry.number, node);
  return fill(node, entry);
}

function fill(node, entry) {
  const at = new Date(entry.at * 1000);
  const time = node.firstElementChild;
  const [what, detail] = node.lastElementChild.children;
  time.dateTime = at.toISOString();
  setText(time, at.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false }));
  setText(what, entry.count > 1 ? `${entry.text} × ${entry.count}` : entry.text);
  setText(detail, entry.detail);
  node.classList.toggle("band", entry.band);
  if (entry.kind === "verdict") node.classList.toggle("bad", entry.text.includes("Not survived"));
  return node;
}

/** All of them, after the page or the person changed. */
export function showTrials(all) {
  for (const button of document.querySelectorAll("[data-fault]")) button.removeAttribute("aria-busy");
  for (const verdict of document.querySelectorAll("[data-verdict]")) setText(verdict, "");
  for (const trial of all) showTrial(trial);
}

export function showTrial(trial) {
  const before = trials.get(trial.fault);
  trials.set(trial.fault, trial);
  const button = document.querySelector(`[data-fault="${trial.fault}"]`);
  const verdict = document.querySelector(`[data-verdict="${trial.fault}"]`);
  const going = trial.phase !== "ended";
  button.setAttribute("aria-busy", String(going));
  setText(verdict, trial.verdict?.text ?? trial.note);
  verdict.className = `verdict ${trial.verdict ? (trial.verdict.survived ? "good" : "bad") : "open"}`;
  if (trial.phase === "armed") verdict.append(el("span", {}, " Press again to call it off."));
  // Whoever pressed wants to see the question that was asked for them.
  const isNews = trial.asked && !(before?.number === trial.number && before.asked);
  if (isNews && trial.asked.user === state.me && going) {
    tell("open", { kind: "thread", channel: trial.asked.channel, root: trial.asked.ts });
  }
}

export function showBot(told) {
  state.bot = told;
  const word = !told.supervised ? "" : told.problem ? "The bot cannot start" : told.ready ? "The bot is up" : "The bot is down";
  setText(byId("bot-state"), word);
  byId("bot-state").className = told.problem || (told.supervised && !told.ready) ? "down" : "up";
  showWorkspace(told);
}

/** What is wrong in the workspace, by file and line, until it is mended. */
function showWorkspace({ problem, findings, workspace }) {
  const box = byId("workspace");
  const wrong = findings.length ? findings : problem ? [problem] : [];
  box.hidden = !wrong.length;
  if (!wrong.length) return box.replaceChildren();
  const kept = findings.length && !problem ? "The last good one stays in use." : "It is tried again when you save.";
  reconcile(box, [{ key: "head", text: `${workspace || "The workspace"} cannot be used. ${kept}` }, ...wrong.map((text, index) => ({ key: String(index), text }))], {
    keyOf: (item) => item.key,
    make: (item) => el("p", { className: item.key === "head" ? "head" : "finding" }, item.text),
    patch: (node, item) => setText(node, item.text),
  });
}

export function startEvidence() {
  for (const button of document.querySelectorAll("[data-fault]")) {
    button.addEventListener("click", () => {
      if (button.getAttribute("aria-disabled") === "true") return;
      const call_off = trials.get(button.dataset.fault)?.phase === "armed";
      press("fault", { fault: button.dataset.fault, user: state.me, channel: state.place.channel, call_off });
    });
  }
  stickToEnd(byId("timeline"));
}
