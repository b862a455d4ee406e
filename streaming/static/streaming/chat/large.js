const LARGE = 100_000; // characters

/**
 * Returns true for a text that the page shows in a simpler way: with one direction, in place of one for each line. With a
 * paragraph of 500 KB, Chromium took half a second for each key press. The server has the same rule
 * (streaming/views/shown.py).
 */
export const isLarge = (text) => text.length > LARGE;

/** Marks a box while its text is large. A paste is laid out before it is told, so the mark comes before the paste. */
export function markWhileLarge(box) {
  const mark = (text) => void box.toggleAttribute("data-large", isLarge(text)); // `false` would stop what is typed
  box.onbeforeinput = ({ data }) => mark(box.value + (data ?? ""));
  box.oninput = () => mark(box.value);
  mark(box.value);
}
