// Small ways to make and to keep DOM nodes. Text is set as text; markup comes from nowhere but `patchMarkup`.

export const byId = (id) => document.getElementById(id);

/** A new element. `props` are properties of the node, `data` its dataset, `aria` its aria attributes. */
export function el(tag, { className, data, aria, ...props } = {}, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  Object.assign(node, props);
  Object.assign(node.dataset, data);
  for (const [name, value] of Object.entries(aria ?? {})) node.setAttribute(name === "role" ? name : `aria-${name}`, value);
  node.append(...children);
  return node;
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const made = new WeakMap();

/**
 * Makes the children of `parent` those that `items` ask for, in order, and touches no child that stays as it is.
 * `make(item)` draws a new child; `patch(node, item, before)` changes one and may return another in its place.
 */
export function reconcile(parent, items, { keyOf, make, patch }) {
  const old = new Map([...parent.children].map((child) => [made.get(child)?.key, child]));
  const nodes = items.map((item) => drawn(old, item, keyOf(item), make, patch));
  for (const node of old.values()) node.remove();
  const places = new Map([...parent.children].map((child, index) => [child, index]));
  const steady = inOrder(nodes.map((node) => places.get(node) ?? -1));
  let next = null;
  // From the end, so that what stands before is where it belongs already. A node that is moved loses the focus.
  for (const [index, node] of [...nodes.entries()].reverse()) {
    if (!steady.has(index)) parent.insertBefore(node, next);
    next = node;
  }
}

/** The child for an item: a new one, or the old one, which is taken out of `old`. */
function drawn(old, item, key, make, patch) {
  const content = JSON.stringify(item);
  const node = old.get(key);
  old.delete(key);
  if (!node) return noted(make(item), key, content, item);
  const before = made.get(node);
  if (before.content === content) return node;
  const fresh = patch(node, item, before.item) ?? node;
  if (fresh !== node) node.replaceWith(fresh);
  return noted(fresh, key, content, item);
}

function noted(node, key, content, item) {
  made.set(node, { key, content, item });
  return node;
}

/** The indexes of a longest run of places that grow: what can stay where it is. Negative places are new. */
function inOrder(places) {
  const best = places.map(() => ({ length: 1, before: -1 }));
  let last = -1;
  for (const [index, place] of places.entries()) {
    if (place < 0) continue;
    for (let earlier = 0; earlier < index; earlier += 1) {
      const fits = places[earlier] >= 0 && places[earlier] < place && best[earlier].length >= best[index].length;
      if (fits) best[index] = { length: best[earlier].length + 1, before: earlier };
    }
    if (last < 0 || best[index].length > best[last].length) last = index;
  }
  const steady = new Set();
  for (; last >= 0; last = best[last].before) steady.add(last);
  return steady;
}

/** What a child was last drawn from. */
export const drawnFrom = (node) => made.get(node)?.item;

export const remember = (node, key, item) => noted(node, key, JSON.stringify(item), item);

const policy = globalThis.trustedTypes?.createPolicy("markdown", { createHTML: (html) => html });

/** Shows Markdown that the server rendered with raw HTML off; the parts that did not change stay. */
export function patchMarkup(node, html) {
  const draft = document.createElement("template");
  draft.innerHTML = policy ? policy.createHTML(html) : html;
  for (const link of draft.content.querySelectorAll("a")) outward(link);
  const fresh = [...draft.content.childNodes];
  const old = [...node.childNodes];
  for (const [index, child] of fresh.entries()) {
    if (!old[index]) node.append(child);
    else if (!old[index].isEqualNode(child)) old[index].replaceWith(child);
  }
  for (const child of old.slice(fresh.length)) child.remove();
}

/** A link out of the page opens beside it. */
export function outward(link) {
  if (link.origin !== location.origin) Object.assign(link, { target: "_blank", rel: "noreferrer noopener" });
  return link;
}

const NEAR = 48;
const sticks = new WeakMap();

/** Keeps the end of a scrolled list in sight while it is in sight, also when the list gets more or less room. */
export function stickToEnd(list) {
  sticks.set(list, true);
  list.addEventListener("scroll", () => sticks.set(list, list.scrollTop + list.clientHeight >= list.scrollHeight - NEAR));
  new ResizeObserver(() => sticks.get(list) && toEnd(list)).observe(list);
}

/** Runs `change`, which may add to the list. */
export function keepingEnd(list, change) {
  const result = change();
  if (sticks.get(list)) toEnd(list);
  return result;
}

export function toEnd(list) {
  sticks.set(list, true);
  list.scrollTop = list.scrollHeight;
}
