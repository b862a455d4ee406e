import { latinOf } from "./keyboard.js";

const FIELDS = "input, textarea, select, [contenteditable]";

/**
 * The key presses of the page, beside those of the boxes. Without Ctrl or ⌘ there is only `?`, and not while one types.
 * `_shortcuts.html` lists them.
 */
export function listenForShortcuts(page, chat) {
  const find = (selector) => page.querySelector(selector);
  const actions = {
    "?": (event) => !event.target.closest(FIELDS) && find("#chat-shortcuts")?.togglePopover() !== undefined,
    "mod+k": () => focus(find(".chat-search input"), find(".chat-sidebar")),
    "mod+shift+o": () => find(".chat-new")?.click(),
    "shift+escape": () => focus(chat.input),
  };
  document.addEventListener("keydown", (event) => {
    const isDone = actions[nameOf(event)]?.(event);
    if (isDone) event.preventDefault();
  });
}

/** Returns the name of a key press: "mod+shift+o". `mod` is ⌘ on a Mac, and elsewhere Ctrl. */
function nameOf(event) {
  const { ctrlKey, metaKey, shiftKey, altKey, isComposing } = event;
  if (altKey || isComposing) return "";
  const name = event.key === "؟" ? "?" : latinOf(event).toLowerCase();
  const isWord = name.length > 1 || /[a-z]/.test(name); // the Shift of a sign such as `?` is a part of it
  return `${ctrlKey || metaKey ? "mod+" : ""}${shiftKey && isWord ? "shift+" : ""}${name}`;
}

/** Puts the focus into a field. Opens the drawer that the field is in, on a narrow screen. */
function focus(field, drawer) {
  if (drawer && !field?.checkVisibility()) drawer.showPopover();
  field?.focus();
  return Boolean(field);
}
