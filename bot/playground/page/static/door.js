// Asks the playground to do something as the person at the page, and says when it could not.

import { byId, setText } from "./dom.js";
import { state } from "./state.js";

const REASONS = {
  connection_failed: "The app is not there. What you pressed is lost; press it again when the app is back.",
  http_timeout: "The app did not answer within three seconds.",
  http_error: "The app answered with an error.",
};

/** A verb of the door: what came of it, or null. Trouble is shown at `where`. */
export const door = (verb, body, where = "trouble") => send(`/door/${verb}`, { user: state.me, ...body }, where);

/** Presses something that belongs to the page itself. */
export const press = (what, body) => send(`/page/${what}`, body, "trouble");

async function send(path, body, where) {
  setText(byId(where), "");
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const content = await answer.json();
    const failure = content.result?.failure;
    if (content.error) setText(byId(where), content.error);
    else if (failure && failure !== "client_validation") setText(byId(where), REASONS[failure] ?? `The app's answer was not understood: ${failure}`);
    return answer.ok ? (content.result ?? {}) : null;
  } catch {
    setText(byId(where), "The playground does not answer. Is it still running?");
    return null;
  }
}

// What a person types becomes the platform's markup: entities escaped, @names turned into mentions.
export function markup(text) {
  const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return escaped.replace(/@([\w.-]+)/g, (whole, name) => (state.users[name] ? `<@${state.users[name]}>` : whole));
}
