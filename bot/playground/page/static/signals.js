// What one part of the page lets the others know, without knowing them: `place`, `open`, `threads`, `guide`, `drawn`.

const listeners = new Map();

export function hear(name, listener) {
  listeners.set(name, [...(listeners.get(name) ?? []), listener]);
}

export function tell(name, detail) {
  for (const listener of listeners.get(name) ?? []) listener(detail);
}
