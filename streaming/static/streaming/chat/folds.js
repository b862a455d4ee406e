const MANY_CHARS = 1200;
const MANY_LINES = 15;

/** Returns true if a question is so long that it is folded. The server has the same rule (streaming/views/shown.py). */
export const isLong = (text) => text.length > MANY_CHARS || text.split("\n").length > MANY_LINES;

/** Lets the buttons under long questions unfold and fold them. */
export function letFold(messages) {
  messages.addEventListener("click", ({ target }) => {
    const button = target.closest(".chat-unfold");
    if (!button) return;
    const isOpen = button.closest(".chat-message").toggleAttribute("data-unfolded");
    button.setAttribute("aria-expanded", String(isOpen));
  });
}
