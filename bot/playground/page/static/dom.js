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
  let next = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    const content = JSON.stringify(item);
    let node = old.get(key);
    old.delete(key);
    const before = node && made.get(node);
    if (!node) node = make(item);
    else if (before.content !== content) {
      const fresh = patch(node, item, before.item) ?? node;
      if (fresh !== node) {
        if (next === node) next = fresh;
        node.replaceWith(fresh);
      }
      node = fresh;
    }
    made.set(node, { key, content, item });
    if (node === next) next = next.nextElementSibling;
    else parent.insertBefore(node, next);
  }
  for (const node of old.values()) node.remove();
}

/** What a child was last drawn from. */
export const drawnFrom = (node) => made.get(node)?.item;

export const remember = (node, key, item) => made.set(node, { key, content: JSON.stringify(item), item });

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

/** Runs `change` and keeps the end of a scrolled list in sight, if it was in sight. */
export function keepingEnd(list, change) {
  const atEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 48;
  const result = change();
  if (atEnd) list.scrollTop = list.scrollHeight;
  return result;
}
