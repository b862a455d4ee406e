const LARGE = 100_000; // characters

/**
 * Marks a box whose text is very large. The stylesheet then gives it one direction, in place of one for each line:
 * with a paragraph of 500 KB, Chromium took half a second for each key press.
 */
export const markLarge = (box) => box.toggleAttribute("data-large", box.value.length > LARGE);
