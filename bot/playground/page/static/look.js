// Light and dark, and the tabs that the three columns become where there is no room for them.

import { byId, setText } from "./dom.js";
import { hear, tell } from "./signals.js";

const NARROW = matchMedia("(max-width: 899px)");
const DARK = matchMedia("(prefers-color-scheme: dark)");
const PARTS = ["places", "talk", "evidence"];
let shown = "talk";

/** Whether a part of the page is in sight. */
export const isShown = (part) => !NARROW.matches || shown === part;

function showPart(part) {
  shown = part;
  for (const each of PARTS) {
    const tab = byId(`tab-${each}`);
    byId(each).dataset.shown = String(each === part);
    tab.setAttribute("aria-selected", String(each === part));
    tab.tabIndex = each === part ? 0 : -1;
  }
  tell("drawn");
}

function walk(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  showPart(PARTS[(PARTS.indexOf(shown) + step + PARTS.length) % PARTS.length]);
  byId(`tab-${shown}`).focus();
}

function showTheme() {
  const chosen = localStorage.getItem("theme");
  const dark = chosen ? chosen === "dark" : DARK.matches;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  setText(byId("theme"), dark ? "Light" : "Dark");
}

export function startLook() {
  for (const part of PARTS) byId(`tab-${part}`).addEventListener("click", () => showPart(part));
  byId("tabs").addEventListener("keydown", walk);
  NARROW.addEventListener("change", () => tell("drawn"));
  hear("place", () => showPart("talk"));
  hear("part", showPart);
  byId("theme").addEventListener("click", () => {
    localStorage.setItem("theme", document.documentElement.dataset.theme === "dark" ? "light" : "dark");
    showTheme();
  });
  DARK.addEventListener("change", showTheme);
  showTheme();
  showPart(shown);
}
