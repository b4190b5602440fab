// Completions for the box: commands and their verbs after a slash, names after an @.

import { byId, el } from "./dom.js";
import { bot, state } from "./state.js";

let options = [];
let active = -1;

export const isCompleting = () => options.length > 0 && active >= 0;

/** Looks at what stands before the caret and offers what may follow. */
export function complete() {
  const box = byId("say");
  const before = box.value.slice(0, box.selectionStart);
  show(before.startsWith("/") ? commands(before) : names(before));
}

function commands(before) {
  const [name, ...rest] = before.split(/\s+/);
  if (!rest.length) {
    const known = bot.commands.filter((command) => command.name.startsWith(name));
    return known.map((command) => ({ replace: before, text: `${command.name} `, label: `${command.name} ${command.usage}`, note: command.description }));
  }
  const command = bot.commands.find((each) => each.name === name);
  const typed = rest.join(" ");
  const verbs = (command?.verbs ?? []).filter((verb) => verb.startsWith(typed) && verb !== typed);
  return verbs.map((verb) => ({ replace: typed, text: verb.replace(/[A-Z]{2,}.*/, ""), label: verb, note: "" }));
}

function names(before) {
  const typed = /(?:^|\s)@([\w.-]*)$/.exec(before)?.[1];
  if (typed === undefined) return [];
  const known = Object.keys(state.users).filter((name) => name.startsWith(typed.toLowerCase()) && name !== typed);
  return known.slice(0, 8).map((name) => ({ replace: `@${typed}`, text: `@${name} `, label: `@${name}`, note: "" }));
}

function show(found) {
  options = found;
  active = found.length && byId("say").value.startsWith("/") ? 0 : -1;
  const list = byId("completions");
  list.replaceChildren(...options.map(optionNode));
  list.hidden = !options.length;
  mark();
}

function optionNode(option, index) {
  const node = el("li", { id: `completion-${index}`, aria: { role: "option", selected: "false" } }, el("span", {}, option.label), el("span", { className: "quiet" }, option.note));
  // The box keeps the focus: a press that took it would close the list.
  node.addEventListener("pointerdown", (event) => event.preventDefault());
  node.addEventListener("click", () => take(index));
  return node;
}

function mark() {
  const box = byId("say");
  box.setAttribute("aria-expanded", String(options.length > 0));
  for (const [index, node] of [...byId("completions").children].entries()) node.setAttribute("aria-selected", String(index === active));
  if (active >= 0) box.setAttribute("aria-activedescendant", `completion-${active}`);
  else box.removeAttribute("aria-activedescendant");
}

function take(index) {
  const box = byId("say");
  const { replace, text } = options[index];
  const caret = box.selectionStart;
  box.setRangeText(text, caret - replace.length, caret, "end");
  show([]);
  box.focus();
}

export function startCompletion() {
  const box = byId("say");
  box.addEventListener("keydown", (event) => {
    if (!options.length) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      active = (active + step + options.length) % options.length;
      mark();
    } else if (event.key === "Escape") show([]);
    else if ((event.key === "Tab" && !event.shiftKey) || (event.key === "Enter" && active >= 0)) {
      // A whole command is sent by Enter, not completed once more.
      if (event.key === "Enter" && options[active].text.trim() === options[active].replace.trim()) return show([]);
      take(Math.max(active, 0));
    } else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  });
  box.addEventListener("blur", () => show([]));
}
