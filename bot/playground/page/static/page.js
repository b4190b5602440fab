// The playground's page: state once, then a stream of changes; one DOM node per message, replaced only when it changes.

const $ = (id) => document.getElementById(id);
const bot = document.body.dataset;
const state = { me: "", channel: "", thread: null, users: {}, messages: new Map(), statuses: new Map(), view: null };
let stream = null;

const key = (message) => `${message.channel}:${message.ts}`;

function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

async function door(verb, body) {
  const answer = await fetch(`/door/${verb}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ user: state.me, ...body }),
  });
  const content = await answer.json();
  $("trouble").textContent = content.error ?? (content.result?.failure ? `The app did not answer: ${content.result.failure}` : "");
  return answer.ok ? content.result : null;
}

// What a person types becomes the platform's markup: entities escaped, @names turned into mentions.
function markup(text) {
  const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return escaped.replace(/@([\w.-]+)/g, (whole, name) => (state.users[name] ? `<@${state.users[name]}>` : whole));
}

function controls(elements, use) {
  const row = element("div", "actions");
  for (const item of elements) {
    if (item.options.length) {
      const select = element("select");
      select.setAttribute("aria-label", item.label);
      select.append(new Option(item.label, ""), ...item.options.map((option) => new Option(option.label, option.value)));
      select.addEventListener("change", () => select.value && use(item, select.value));
      row.append(select);
    } else {
      const button = element("button", item.style, item.label);
      button.type = "button";
      button.addEventListener("click", () => (!item.confirm || confirm(item.confirm)) && use(item, null));
      row.append(button);
    }
  }
  return row;
}

function field(part) {
  const row = element("label", "field", part.label);
  let input;
  if (part.options.length) {
    input = element("select");
    input.append(...part.options.map((option) => new Option(option.label, option.value)));
  } else {
    input = element(part.multiline ? "textarea" : "input");
  }
  input.value = part.initial;
  input.dataset.block = part.block_id;
  const problem = element("span", "problem");
  problem.dataset.problem = part.block_id;
  row.append(input, problem);
  return row;
}

function drawn(part, use) {
  switch (part.kind) {
    case "html": {
      // Made by the server's Markdown renderer, which has raw HTML switched off.
      const node = element("div", "html");
      node.innerHTML = part.html;
      for (const link of node.querySelectorAll("a")) Object.assign(link, { rel: "noreferrer noopener", target: "_blank" });
      return node;
    }
    case "actions":
      return controls(part.elements, use);
    case "input":
      return field(part);
    case "divider":
      return element("hr");
    default:
      return element("p", `text ${part.kind}`, part.text);
  }
}

function article(message, inThread) {
  const node = element("article", message.ephemeral ? "ephemeral" : "");
  node.dataset.key = key(message);
  const head = element("div", "who", message.author);
  const time = new Date(parseFloat(message.ts) * 1000).toLocaleTimeString();
  head.append(element("span", "when", ` ${message.bot ? "app · " : ""}${time}${message.edited ? " (edited)" : ""}`));
  node.append(head);
  if (message.ephemeral) node.append(element("p", "note", "Only visible to you"));
  const use = (item, value) => door("click", { channel: message.channel, ts: message.ts, action_id: item.action_id, block_id: item.block_id, value });
  node.append(...message.blocks.map((part) => drawn(part, use)));
  for (const note of [...message.files.map((name) => `File: ${name}`), ...message.reactions]) node.append(element("p", "note", note));
  if (!inThread && message.in_channel && !message.ephemeral) {
    const open = element("button", "", `Thread (${replies(message).length})`);
    open.type = "button";
    open.addEventListener("click", () => openThread(message.root));
    node.append(open);
  }
  return node;
}

function replies(root) {
  return [...state.messages.values()].filter((m) => m.channel === root.channel && m.root === root.ts && m.ts !== root.ts);
}

const belongs = {
  timeline: (message) => message.channel === state.channel && message.in_channel,
  replies: (message) => message.channel === state.channel && state.thread !== null && message.root === state.thread,
};

function place(listId, message) {
  const list = $(listId);
  const old = list.querySelector(`[data-key="${CSS.escape(key(message))}"]`);
  if (!belongs[listId](message)) return old?.remove();
  const node = article(message, listId === "replies");
  if (old) return old.replaceWith(node);
  const atEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 40;
  const later = [...list.children].find((child) => parseFloat(child.dataset.key.split(":")[1]) > parseFloat(message.ts));
  list.insertBefore(node, later ?? null);
  if (atEnd) list.scrollTop = list.scrollHeight;
}

function show(message) {
  state.messages.set(key(message), message);
  place("timeline", message);
  place("replies", message);
  const root = state.messages.get(`${message.channel}:${message.root}`);
  if (root && root !== message) place("timeline", root);
}

function gone(change) {
  state.messages.delete(key(change));
  for (const node of document.querySelectorAll(`[data-key="${CSS.escape(key(change))}"]`)) node.remove();
}

function redraw(listId) {
  $(listId).replaceChildren();
  for (const message of [...state.messages.values()].sort((a, b) => parseFloat(a.ts) - parseFloat(b.ts))) place(listId, message);
}

function showStatus() {
  const text = state.statuses.get(`${state.channel}:${state.thread}`);
  $("status").textContent = text ? `${bot.botName} ${text}` : "";
}

function openThread(root) {
  state.thread = root;
  $("thread").hidden = root === null;
  redraw("replies");
  showStatus();
  if (root !== null) $("reply").focus();
}

function openChannel(channel) {
  const thread = state.channel === channel.id ? state.thread : null;
  state.channel = channel.id;
  $("place").textContent = channel.dm ? `Direct message with ${bot.botName}` : `#${channel.name}`;
  for (const button of $("channels").querySelectorAll("button")) button.setAttribute("aria-current", String(button.dataset.id === channel.id));
  openThread(thread);
  redraw("timeline");
}

function showChannels(channels) {
  $("channels").replaceChildren(
    ...channels.map((channel) => {
      const item = element("li");
      const button = element("button", "", channel.dm ? bot.botName : `#${channel.name}`);
      button.dataset.id = channel.id;
      button.addEventListener("click", () => openChannel(channel));
      item.append(button);
      return item;
    }),
  );
  openChannel(channels.find((channel) => channel.id === state.channel) ?? channels[0]);
}

function showView(view) {
  const modal = $("modal");
  state.view = view;
  if (!view) return modal.close();
  $("modal-title").textContent = view.title;
  $("modal-close").textContent = view.close;
  $("modal-submit").textContent = view.submit ?? "";
  $("modal-submit").hidden = !view.submit;
  const use = (item, value) => door("click-view", { view_id: view.id, action_id: item.action_id, block_id: item.block_id, value });
  $("modal-body").replaceChildren(...view.blocks.map((part) => drawn(part, use)));
  if (!modal.open) modal.showModal();
}

async function submitView(event) {
  event.preventDefault();
  const values = {};
  for (const input of $("modal-body").querySelectorAll("[data-block]")) values[input.dataset.block] = input.value;
  const outcome = await door("submit", { values });
  for (const problem of $("modal-body").querySelectorAll("[data-problem]")) problem.textContent = outcome?.errors[problem.dataset.problem] ?? "";
}

async function send(event, box, threadTs) {
  event.preventDefault();
  const text = box.value.trim();
  if (!text) return;
  const [command, ...rest] = text.split(/\s+/);
  const done = command.startsWith("/") && !threadTs
    ? await door("command", { channel: state.channel, command, text: rest.join(" ") })
    : await door("post", { channel: state.channel, text: markup(text), thread_ts: threadTs });
  if (done) box.value = "";
}

async function load() {
  stream?.close();
  state.me = $("me").value;
  const content = await (await fetch(`/page/state?user=${encodeURIComponent(state.me)}`)).json();
  state.users = content.users;
  state.messages = new Map(content.messages.map((message) => [key(message), message]));
  state.statuses = new Map(content.statuses.map((status) => [`${status.channel}:${status.root}`, status.text]));
  showChannels(content.channels);
  showView(content.view);
  listen(content.latest);
}

function listen(latest) {
  stream = new EventSource(`/page/stream?user=${encodeURIComponent(state.me)}&after=${latest}`);
  stream.addEventListener("open", () => ($("connection").textContent = "live"));
  stream.addEventListener("error", () => ($("connection").textContent = "reconnecting"));
  stream.addEventListener("message", (event) => {
    const change = JSON.parse(event.data);
    switch (change.kind) {
      case "message":
        return show(change.message);
      case "gone":
        return gone(change);
      case "view":
        return showView(change.view);
      case "status":
        state.statuses.set(`${change.status.channel}:${change.status.root}`, change.status.text);
        return showStatus();
      default:
        return load();
    }
  });
}

function onEnter(box) {
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    box.form.requestSubmit();
  });
}

$("me").addEventListener("change", load);
$("leave-thread").addEventListener("click", () => openThread(null));
$("composer").addEventListener("submit", (event) => send(event, $("say"), null));
$("reply-composer").addEventListener("submit", (event) => send(event, $("reply"), state.thread));
$("modal-form").addEventListener("submit", submitView);
$("modal-close").addEventListener("click", () => door("close", {}));
$("modal").addEventListener("cancel", (event) => {
  event.preventDefault();
  door("close", {});
});
onEnter($("say"));
onEnter($("reply"));
load();
