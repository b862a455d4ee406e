const LARGE = 100_000; // characters

/**
 * Gives a very large text one direction, in place of one for each line: in a paragraph of 500 KB Chromium took half a
 * second for each key press.
 */
export const suit = (box) => box.toggleAttribute("data-large", box.value.length > LARGE);
