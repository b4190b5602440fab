// The app's modal on top of the page.

import { giveFocusBack } from "./confirm.js";
import { valueOf } from "./controls.js";
import { byId, setText } from "./dom.js";
import { door } from "./door.js";
import { patchParts, showProblems } from "./parts.js";
import { state } from "./state.js";

let opener = null;

/** Shows the person's topmost modal, or closes the dialog when there is none. */
export function showModal(view) {
  const modal = byId("modal");
  const before = state.view;
  state.view = view;
  if (!view) {
    if (modal.open) {
      modal.close();
      giveFocusBack(opener);
    }
    return;
  }
  setText(byId("modal-title"), view.title);
  setText(byId("modal-close"), view.close);
  setText(byId("modal-submit"), view.submit ?? "");
  byId("modal-submit").hidden = !view.submit;
  if (before?.id !== view.id) {
    byId("modal-parts").replaceChildren();
    setText(byId("modal-trouble"), "");
  }
  patchParts(byId("modal-parts"), view.parts, act);
  if (!modal.open) {
    opener = document.activeElement;
    modal.showModal();
    modal.querySelector("[data-input]:not([type=checkbox])")?.focus();
  }
}

const act = (block_id, action_id, value) => door("click-view", { view_id: state.view.id, block_id, action_id, value }, "modal-trouble");

async function submit(event) {
  event.preventDefault();
  const button = byId("modal-submit");
  if (!state.view?.submit || button.getAttribute("aria-busy") === "true") return;
  const parts = byId("modal-parts");
  const values = {};
  for (const field of parts.querySelectorAll("[data-input]")) values[field.dataset.input] = valueOf(field);
  button.setAttribute("aria-busy", "true");
  const outcome = await door("submit", { values, view_id: state.view.id }, "modal-trouble");
  button.removeAttribute("aria-busy");
  showProblems(parts, outcome?.errors ?? {})?.focus();
}

const close = () => (state.view ? door("close", {}, "modal-trouble") : byId("modal").close());

export function startDialogs() {
  byId("modal-form").addEventListener("submit", submit);
  byId("modal-close").addEventListener("click", close);
  byId("modal").addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
}
