// Spans of text, and the nodes of rich text, as DOM.

import { el, outward } from "./dom.js";

const TAGS = { bold: "strong", italic: "em", strike: "s", code: "code", pre: "pre" };

export const inline = (spans) => spans.map(span);

function span(item) {
  let node = item.time ? moment(item) : document.createTextNode(item.text);
  if (item.link) node = outward(el("a", { href: item.link }, node));
  if (item.mention) node = el("span", { className: "mention" }, node);
  for (const [style, tag] of Object.entries(TAGS)) if (item[style]) node = el(tag, {}, node);
  return node;
}

const FORMS = {
  date_num: { dateStyle: "short" },
  date: { dateStyle: "long" },
  date_pretty: { dateStyle: "long" },
  date_short: { dateStyle: "medium" },
  date_short_pretty: { dateStyle: "medium" },
  date_long: { dateStyle: "full" },
  date_long_pretty: { dateStyle: "full" },
  time: { timeStyle: "short" },
  time_secs: { timeStyle: "medium" },
};

function moment({ text, time }) {
  const at = new Date(time.seconds * 1000);
  const shown = time.form.replace(/\{(\w+)\}/g, (whole, name) => (FORMS[name] ? new Intl.DateTimeFormat(undefined, FORMS[name]).format(at) : whole));
  return el("time", { dateTime: at.toISOString(), title: text }, shown || text);
}

export function rich(nodes) {
  return nodes.map((node) => {
    switch (node.kind) {
      case "pre":
        return el("pre", { className: "code" }, ...inline(node.spans));
      case "quote":
        return el("blockquote", {}, ...inline(node.spans));
      case "list":
        return el(node.ordered ? "ol" : "ul", {}, ...node.items.map((item) => el("li", {}, ...inline(item))));
      default:
        return el("p", { className: "text" }, ...inline(node.spans));
    }
  });
}
