import { opensElsewhere } from "./keyboard.js";

const HEADINGS = "h3, h4, h5, h6";

/** Returns a heading's text as GitHub writes it in links: "How to go on?" is `how-to-go-on`. */
const slug = (text) => text.trim().toLowerCase().replace(/[^\p{L}\p{M}\p{N}\s_-]/gu, "").replace(/\s/g, "-");

function lead(link) {
  const wanted = link.hash.toLowerCase();
  const headings = [...link.closest(".chat-parts").querySelectorAll(HEADINGS)];
  const heading = headings.find(({ textContent }) => encodeURI(`#${slug(textContent)}`).toLowerCase() === wanted);
  if (!heading) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
  heading.scrollIntoView();
}

/**
 * Lets a link such as `[Usage](#usage)` lead to the heading in its answer. The headings have no ids for a browser to find,
 * because two answers in one page may have the same heading.
 */
export function letLinksLead(messages) {
  messages.addEventListener("click", (event) => {
    const link = event.target.closest('.chat-rich a[href^="#"]');
    if (!link || opensElsewhere(event)) return;
    event.preventDefault();
    lead(link);
  });
}
