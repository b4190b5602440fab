// Block elements: buttons and choices that act at once, and fields of a dialog that keep a value.

import { confirmed } from "./confirm.js";
import { drawnFrom, el, outward, reconcile, setText } from "./dom.js";

const ONE_OPTION = new Set(["select", "menu"]);
const TYPED = { text: "text", email: "email", url: "url", number: "text", date: "date", time: "time", datetime: "datetime-local" };

const keyOf = (item) => `${item.control} ${item.action_id} ${item.sends ?? ""}`;

/** A row of elements that act at once. `act(blockId, actionId, value)` returns a promise. */
export function patchRow(row, blockId, elements, act) {
  row.dataset.block = blockId;
  reconcile(row, elements, {
    keyOf,
    make: (item) => acting(row, item, act),
    patch: (node, item) => {
      if (item.control !== "button") return acting(row, item, act);
      setText(node, item.label);
      dress(node, item);
      return node;
    },
  });
  return row;
}

function dress(button, item) {
  button.className = item.style;
  button.dataset.action = item.action_id;
  if (item.hint) button.setAttribute("aria-label", item.hint);
}

function acting(row, item, act) {
  if (item.control === "button") return actingButton(row, item, act);
  if (item.control === "none") return el("span", { className: "quiet" }, `(a ${item.label} cannot be used here)`);
  const use = async (value) => {
    const current = drawnFrom(field) ?? item;
    if (await confirmed(current.confirm, field)) await act(row.dataset.block, current.action_id, value);
    if (ONE_OPTION.has(current.control) && current.control === "menu") field.value = "";
  };
  const field = fieldFor(item, item.label);
  field.dataset.action = item.action_id;
  field.addEventListener("change", () => use(valueOf(field)));
  return field;
}

function actingButton(row, item, act) {
  const button = el("button", { type: "button" }, item.label);
  dress(button, item);
  button.addEventListener("click", async () => {
    const current = drawnFrom(button) ?? item;
    if (button.getAttribute("aria-busy") === "true" || !(await confirmed(current.confirm, button))) return;
    if (current.url) window.open(current.url, "_blank", "noopener,noreferrer");
    button.setAttribute("aria-busy", "true");
    try {
      await act(row.dataset.block, current.action_id, current.sends ?? null);
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
  return button;
}

/** A field that holds a value until it is asked for with `valueOf`. */
export function fieldFor(item, label) {
  const field = drawnField(item);
  field.dataset.control = item.control;
  if (label) field.setAttribute("aria-label", label);
  return field;
}

function drawnField(item) {
  switch (item.control) {
    case "select":
    case "menu":
      return choice(item);
    case "several":
    case "checkboxes":
      return group(item, "checkbox");
    case "radios":
      return group(item, "radio");
    case "rich":
      return el("textarea", { rows: 4, value: "" });
    case "text":
      if (item.multiline) return typed(el("textarea", { rows: 4 }), item);
      return typed(el("input", { type: "text" }), item);
    default:
      return typed(el("input", { type: TYPED[item.control] ?? "text" }), item);
  }
}

function typed(input, item) {
  input.value = item.control === "datetime" && item.value ? localTime(item.value) : (item.value ?? "");
  input.placeholder = item.placeholder;
  if (item.control === "number") input.inputMode = item.decimal ? "decimal" : "numeric";
  if (item.most && item.control === "text") input.maxLength = item.most;
  return input;
}

function choice(item) {
  const select = el("select", {}, new Option(item.control === "menu" ? "More actions" : item.placeholder || "Choose…", ""));
  const groups = new Map();
  for (const option of item.options) {
    const target = option.group ? (groups.get(option.group) ?? el("optgroup", { label: option.group })) : select;
    if (option.group && !groups.has(option.group)) select.append(groups.set(option.group, target).get(option.group));
    target.append(new Option(option.description ? `${option.label}: ${option.description}` : option.label, option.value));
  }
  select.value = item.value ?? "";
  return select;
}

function group(item, type) {
  const chosen = new Set([item.value ?? []].flat());
  const name = `choice-${crypto.randomUUID()}`;
  const options = item.options.map((option) =>
    el(
      "label",
      { className: "option" },
      el("input", { type, name, value: option.value, checked: chosen.has(option.value) }),
      el("span", {}, option.label, ...(option.description ? [el("small", {}, option.description)] : [])),
    ),
  );
  return el("div", { className: "options", aria: { role: type === "radio" ? "radiogroup" : "group" } }, ...options);
}

/** What was entered: text, an option's value, a list of those, a number of seconds; null for nothing. */
export function valueOf(field) {
  switch (field.dataset.control) {
    case "several":
    case "checkboxes":
      return [...field.querySelectorAll("input:checked")].map((input) => input.value);
    case "radios":
      return field.querySelector("input:checked")?.value ?? null;
    case "datetime":
      return field.value ? Math.floor(new Date(field.value).getTime() / 1000) : null;
    default:
      return field.value === "" ? null : field.value;
  }
}

function localTime(seconds) {
  const at = new Date(seconds * 1000);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

export const linkTo = (url, label) => (url ? outward(el("a", { href: url }, label)) : el("span", {}, label));
