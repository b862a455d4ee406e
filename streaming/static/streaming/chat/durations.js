const SECOND = 1000;

/** Returns a time as people say it: "12 s", "2 min 5 s". */
export function inWords(milliseconds, texts) {
  const total = Math.round(milliseconds / SECOND);
  const [minutes, seconds] = [Math.floor(total / 60), total % 60];
  const pattern = minutes ? texts.inMinutes : texts.inSeconds;
  return pattern.replace("{minutes}", minutes).replace("{seconds}", seconds);
}

/** Returns how long the app took for what a chunk ends, in milliseconds. Undefined if that was too short to tell. */
export const durationOf = ({ providerMetadata }) => providerMetadata?.streaming?.duration_ms;

/**
 * Counts the seconds in the label of reasoning, from `began` on, until something follows it or the answer has ended.
 * Returns the timer, for a card that is never shown.
 */
export function countSeconds(card, began, texts) {
  const label = card.querySelector(".chat-while-writing");
  let wasShown = false;
  const timer = setInterval(() => {
    wasShown ||= card.isConnected;
    const isOver = card.nextElementSibling || (wasShown && !card.closest("[aria-busy]"));
    if (isOver || (wasShown && !card.isConnected)) clearInterval(timer);
    else label.textContent = texts.thinkingFor.replace("{time}", inWords(Date.now() - began, texts));
  }, SECOND);
  return timer;
}

/** Says in the label of reasoning how long it took. */
export function sayDuration(card, milliseconds, texts) {
  if (!milliseconds) return;
  const text = texts.thoughtFor.replace("{time}", inWords(milliseconds, texts));
  card.querySelector(".chat-when-written").textContent = text;
}
