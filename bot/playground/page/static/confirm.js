// The small dialog that asks before a button acts.

import { byId, setText } from "./dom.js";
import { inline } from "./inline.js";
import { tell } from "./signals.js";

/** Asks what `confirm` asks; true at once when there is nothing to ask. */
export function confirmed(confirm, from) {
  if (!confirm) return Promise.resolve(true);
  const dialog = byId("confirm");
  setText(byId("confirm-title"), confirm.title);
  byId("confirm-text").replaceChildren(...inline(confirm.spans));
  setText(byId("confirm-yes"), confirm.confirm);
  setText(byId("confirm-no"), confirm.deny);
  byId("confirm-yes").className = confirm.style;
  dialog.returnValue = "";
  dialog.showModal();
  byId("confirm-no").focus();
  tell("drawn");
  return new Promise((resolve) => {
    dialog.addEventListener(
      "close",
      () => {
        giveFocusBack(from);
        tell("drawn");
        resolve(dialog.returnValue === "yes");
      },
      { once: true },
    );
  });
}

/** The dialog gives focus back by itself, but not to what an edit has taken away meanwhile. */
export function giveFocusBack(to) {
  if (to?.isConnected) to.focus();
  else if (!document.activeElement || document.activeElement === document.body) byId("messages").focus();
}

export function startConfirm() {
  byId("confirm-yes").addEventListener("click", () => byId("confirm").close("yes"));
  byId("confirm-no").addEventListener("click", () => byId("confirm").close("no"));
}
