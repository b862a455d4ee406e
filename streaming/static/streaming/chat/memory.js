/*
 * What the browser keeps for this tab: drafts, and which conversation an embedded chat shows. It survives a reload and a
 * visit to the login page. It is gone with the tab, so the next person at the same computer does not see it.
 */

/** Keeps a text under a name, or forgets it if the text is empty. A browser without storage keeps nothing. */
export function keep(name, text) {
  try {
    if (text) sessionStorage.setItem(`streaming-chat ${name}`, text);
    else sessionStorage.removeItem(`streaming-chat ${name}`);
  } catch {} // storage is full or switched off
}

/** Returns the text that is kept under a name, or "". */
export function kept(name) {
  try {
    return sessionStorage.getItem(`streaming-chat ${name}`) ?? "";
  } catch {
    return "";
  }
}

/** Returns the object that is kept under a name as JSON; an empty one if there is none, or if it cannot be read. */
export function keptObject(name) {
  try {
    return JSON.parse(kept(name)) ?? {};
  } catch {
    return {};
  }
}
