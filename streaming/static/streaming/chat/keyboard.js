const touchScreen = matchMedia("(pointer: coarse)");

/** Returns true on a touch screen: there Enter makes a new line, and a focused box would open the keyboard. */
export const isTouch = () => touchScreen.matches;

/**
 * Returns true if this key press sends the text of a box. An Enter that ends an input method's composition does not.
 * Safari ends the composition before it reports that Enter, but gives it the key code 229.
 */
export const isSending = ({ key, shiftKey, isComposing, keyCode }) =>
  key === "Enter" && !shiftKey && !isComposing && keyCode !== 229 && !isTouch();

/** Returns true if this key press leaves what one does. The Escape that ends a composition does not. */
export const isLeaving = ({ key, shiftKey, isComposing }) => key === "Escape" && !shiftKey && !isComposing;

/** Returns true if this press of a link opens it in another tab or window. */
export const opensElsewhere = ({ ctrlKey, metaKey, shiftKey }) => ctrlKey || metaKey || shiftKey;

/** Returns the name of the pressed key. A letter or digit of another script counts as the Latin one on its key. */
export function latinOf({ key, code }) {
  const isForeign = /^[^\p{ASCII}\p{Script=Latin}]$/u.test(key);
  return (isForeign && /^(?:Key|Digit)(.)$/.exec(code)?.[1].toLowerCase()) || key;
}
