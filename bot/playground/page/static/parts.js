// Blocks as DOM. Each is kept by its key: an edit changes what differs and leaves the rest, with focus and scroll.

import { fieldFor, linkTo, patchRow } from "./controls.js";
import { drawnFrom, el, patchMarkup, reconcile, remember, setText } from "./dom.js";
import { inline, rich } from "./inline.js";

/** Shows `parts` in `parent`. `act(blockId, actionId, value)` is what their elements do. */
export function patchParts(parent, parts, act) {
  reconcile(parent, parts, {
    keyOf: (part) => part.key,
    make: (part) => draw(part, act),
    patch: (node, part, before) => redraw(node, part, before, act),
  });
}

function redraw(node, part, before, act) {
  switch (part.kind) {
    case "html":
      patchMarkup(node, part.html);
      return node;
    case "actions":
      return patchRow(node, part.block_id, part.elements, act);
    case "text":
      return fill(node, inline(part.spans));
    case "context":
      return fill(node, part.items.map(contextItem));
    case "section":
      return fillSection(node, part, act);
    case "input":
      // What somebody is typing is theirs: a dialog that is updated keeps what was entered in the same field.
      if (part.element.control !== before.element.control || part.label !== before.label) return draw(part, act);
      return node;
    default:
      return draw(part, act);
  }
}

function draw(part, act) {
  switch (part.kind) {
    case "html": {
      const node = el("div", { className: "html" });
      patchMarkup(node, part.html);
      return node;
    }
    case "actions":
      return patchRow(el("div", { className: "actions" }), part.block_id, part.elements, act);
    case "text":
      return el("p", { className: "text" }, ...inline(part.spans));
    case "section":
      return fillSection(el("div", { className: "section" }), part, act);
    case "context":
      return el("div", { className: "context" }, ...part.items.map(contextItem));
    case "header":
      return el("p", { className: "header", aria: { role: "heading", level: "3" } }, part.text);
    case "divider":
      return el("hr");
    case "rich":
      return el("div", { className: "rich" }, ...rich(part.nodes));
    case "table":
      return table(part);
    case "input":
      return input(part, act);
    default:
      return drawRarer(part, act);
  }
}

function drawRarer(part, act) {
  switch (part.kind) {
    case "image":
      return image(part);
    case "alert":
      return el("p", { className: `alert ${part.level}` }, ...inline(part.spans));
    case "tasks":
      return el("div", { className: "tasks" }, ...(part.title ? [el("p", { className: "header" }, part.title)] : []), ...part.tasks.map(task));
    case "cards":
      return el("div", { className: "cards" }, ...part.cards.map((each) => card(each, act)));
    case "container":
      return container(part, act);
    case "link":
      return el("p", { className: "text" }, linkTo(part.url, part.label));
    default:
      return el("p", { className: "context" }, part.text);
  }
}

function fill(node, children) {
  node.replaceChildren(...children);
  return node;
}

const contextItem = (item) => (item.image ? el("span", {}, `[image: ${item.image}]`) : el("span", {}, ...inline(item.spans)));

function fillSection(node, part, act) {
  const before = drawnFrom(node);
  const same = before && JSON.stringify([before.spans, before.fields]) === JSON.stringify([part.spans, part.fields]);
  if (!same) {
    const texts = [
      ...(part.spans.length ? [el("p", { className: "text" }, ...inline(part.spans))] : []),
      ...(part.fields.length ? [el("div", { className: "fields" }, ...part.fields.map((field) => el("p", { className: "text" }, ...inline(field))))] : []),
      ...(part.image ? [image(part.image)] : []),
    ];
    const row = node.querySelector(":scope > .actions");
    node.replaceChildren(...texts, ...(row ? [row] : []));
  }
  let row = node.querySelector(":scope > .actions");
  if (!part.elements.length) row?.remove();
  else {
    if (!row) node.append((row = el("div", { className: "actions" })));
    patchRow(row, part.block_id, part.elements, act);
  }
  return node;
}

function image(part) {
  // Images of other hosts are not loaded; a reader gets their description and a way to them.
  return el("p", { className: "context" }, part.title ? `${part.title} ` : "", linkTo(part.url, `[image: ${part.alt}]`));
}

function table(part) {
  const rows = part.rows.map((cells, index) =>
    el(
      "tr",
      {},
      ...cells.map((text, column) => el(index ? "td" : "th", { className: part.align[column] ?? "" , ...(index ? {} : { scope: "col" }) }, text)),
    ),
  );
  const caption = part.caption ? [el("caption", {}, part.caption)] : [];
  return el("div", { className: "html", tabIndex: 0, aria: { role: "region", label: part.caption || "Table" } }, el("table", {}, ...caption, ...rows));
}

function task(item) {
  const sources = item.sources.map((source) => el("p", { className: "context" }, linkTo(source.url, source.label)));
  return el("div", { className: "task" }, el("p", { className: "text" }, el("strong", {}, `${item.state}: `), item.title), ...rich(item.nodes), ...sources);
}

function card(item, act) {
  const texts = ["title", "subtitle", "body"].filter((name) => item[name]).map((name) => el("p", { className: `text ${name}` }, ...inline(item[name])));
  const images = item.images.map((alt) => el("p", { className: "context" }, `[image: ${alt}]`));
  const row = item.elements.length ? [patchRow(el("div", { className: "actions" }), item.block_id, item.elements, act)] : [];
  return el("div", { className: "card" }, ...images, ...texts, ...row);
}

function container(part, act) {
  const title = el("strong", {}, part.title);
  const subtitle = part.subtitle.length ? [el("span", { className: "quiet" }, " ", ...inline(part.subtitle))] : [];
  const body = el("div");
  patchParts(body, part.parts, act);
  if (!part.collapsible) return el("div", { className: "container" }, el("p", { className: "text" }, title, ...subtitle), body);
  return el("details", { className: "container", open: !part.collapsed }, el("summary", {}, title, ...subtitle), body);
}

function input(part, act) {
  const id = `field-${crypto.randomUUID()}`;
  const field = fieldFor(part.element, "");
  const problem = el("p", { className: "problem", id: `${id}-problem`, data: { problem: part.block_id } });
  const hint = part.hint ? [el("p", { className: "context", id: `${id}-hint` }, part.hint)] : [];
  const isGroup = field.tagName === "DIV";
  const label = el(isGroup ? "p" : "label", { className: "label", id: `${id}-label` }, part.label, ...(part.optional ? [el("span", { className: "quiet" }, " (optional)")] : []));
  if (isGroup) field.setAttribute("aria-labelledby", label.id);
  else Object.assign(label, { htmlFor: id });
  field.id = id;
  field.dataset.input = part.block_id;
  field.setAttribute("aria-describedby", [...(hint.length ? [hint[0].id] : []), problem.id].join(" "));
  if (!part.optional && !isGroup) field.setAttribute("aria-required", "true");
  if (part.element.focus) field.autofocus = true;
  if (part.dispatch) field.addEventListener("change", () => act(part.block_id, part.element.action_id, field.value));
  const node = el("div", { className: "field" }, label, field, ...hint, problem);
  remember(node, part.key, part);
  return node;
}

/** Shows a problem below each field that `errors` names, and takes the others away; the first such field, if any. */
export function showProblems(parent, errors) {
  let first = null;
  for (const problem of parent.querySelectorAll("[data-problem]")) {
    const text = errors[problem.dataset.problem] ?? "";
    const field = parent.querySelector(`[data-input="${CSS.escape(problem.dataset.problem)}"]`);
    setText(problem, text);
    field?.setAttribute("aria-invalid", String(Boolean(text)));
    if (text && !first) first = field;
  }
  return first;
}
