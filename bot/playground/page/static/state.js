// What the page knows. `place` is where the person is: a channel, a thread of it, or the app's Home tab.

export const bot = {
  user: document.body.dataset.botUser,
  name: document.body.dataset.botName,
  commands: JSON.parse(document.body.dataset.commands),
};

export const state = {
  me: "",
  users: {},
  channels: [],
  messages: new Map(),
  statuses: new Map(),
  view: null,
  home: null,
  place: { kind: "channel", channel: document.body.dataset.ops, root: null },
  guide: { number: 0 },
  bot: {},
};

export const keyOf = (message) => `${message.channel}:${message.ts}`;

export const byTime = (a, b) => (a.ts < b.ts ? -1 : a.ts > b.ts ? 1 : 0);

export const channelOf = (id) => state.channels.find((channel) => channel.id === id);

export const nameOf = (channel) => (channel.dm ? bot.name : `#${channel.name}`);

/** Whether the message is shown where the person is. */
export function isHere(message) {
  const { kind, channel, root } = state.place;
  if (kind === "home" || message.channel !== channel) return false;
  return kind === "thread" ? message.root === root : message.in_channel;
}

/** How many replies each thread of the channel has, by the timestamp of its root. */
export function replyCounts(channel) {
  const counts = new Map();
  for (const message of state.messages.values()) {
    const isReply = message.channel === channel && message.root !== message.ts && !message.ephemeral;
    if (isReply) counts.set(message.root, (counts.get(message.root) ?? 0) + 1);
  }
  return counts;
}
