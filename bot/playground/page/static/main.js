// The playground's page: everything once, then a stream of what changes.

import { startCompletion } from "./completion.js";
import { showPrompts, startComposer } from "./composer.js";
import { startConfirm } from "./confirm.js";
import { showModal, startDialogs } from "./dialogs.js";
import { byId, setText } from "./dom.js";
import { showBot, showCounters, showEntry, showTimeline, showTrial, showTrials, startEvidence } from "./evidence.js";
import { lightUp, showGuide, startGuide } from "./guide.js";
import { startLook } from "./look.js";
import { removeMessage, showHome, showMessage, showMessages, startMessages } from "./messages.js";
import { follow, open, showStatus, startPlaces } from "./places.js";
import { hear } from "./signals.js";
import { keyOf, state } from "./state.js";

let stream = null;
let loading = 0;

const statusKey = (status) => `${status.channel}:${status.root}`;

async function load() {
  const mine = ++loading;
  stream?.close();
  state.me = document.querySelector("#roles input:checked").value;
  const answer = await fetch(`/page/state?user=${encodeURIComponent(state.me)}`);
  const whole = await answer.json();
  if (mine !== loading) return; // another person took over meanwhile
  state.users = whole.users;
  state.channels = whole.channels;
  state.home = whole.home;
  state.messages = new Map(whole.messages.map((message) => [keyOf(message), message]));
  state.statuses = new Map(whole.statuses.map((status) => [statusKey(status), status]));
  showCounters(whole.counters);
  showTimeline(whole.entries);
  showTrials(whole.trials);
  showBot(whole.bot);
  open(state.place);
  showModal(whole.view);
  showGuide(whole.guide);
  listen(whole.latest);
  document.body.dataset.ready = state.me;
}

function listen(latest) {
  stream = new EventSource(`/page/stream?user=${encodeURIComponent(state.me)}&after=${latest}`);
  stream.addEventListener("open", () => {
    delete document.body.dataset.lost;
    showBot(state.bot);
  });
  stream.addEventListener("error", () => {
    document.body.dataset.lost = "";
    setText(byId("bot-state"), "The playground does not answer");
  });
  stream.addEventListener("message", (event) => {
    take(JSON.parse(event.data));
    lightUp();
  });
}

function take(change) {
  switch (change.kind) {
    case "message":
      return showMessage(change.message);
    case "gone":
      return removeMessage(change);
    case "view":
      state.home = change.home;
      showHome();
      return showModal(change.view);
    case "status":
      state.statuses.set(statusKey(change.status), change.status);
      showPrompts();
      return showStatus();
    case "entry":
      return showEntry(change.entry);
    case "counters":
      return showCounters(change.counters);
    case "trial":
      return showTrial(change.trial);
    case "guide":
      return showGuide(change.guide);
    case "bot":
      return showBot(change.bot);
    default:
      return load();
  }
}

hear("place", showMessages);
startLook();
startConfirm();
startDialogs();
startPlaces();
startMessages();
startCompletion();
startComposer();
startEvidence();
startGuide();
byId("roles").addEventListener("change", load);
await load();
follow(new URL(location.href));
