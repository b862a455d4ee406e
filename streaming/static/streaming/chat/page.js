/**
 * Keeps the page around a chat true to its conversation: a new conversation gets its address, its title, and its place
 * in the list. This is done for a chat that is the whole page only.
 */
export function followConversation() {
  let shownPath = location.pathname;

  addEventListener("popstate", () => location.pathname === shownPath || location.reload());

  document.addEventListener("streaming-chat:started", ({ target, detail }) => {
    if (!target.hasAttribute("data-whole-page")) return;
    history.pushState(null, "", target.pageAddress);
    shownPath = location.pathname;
    showTitle(detail.title.split("\n")[0]);
    addToList();
  });
}

function showTitle(title) {
  const heading = document.querySelector(".chat-title");
  document.title = title;
  if (heading) heading.textContent = document.title; // the browser has collapsed its spaces
}

function addToList() {
  const list = document.querySelector(".chat-conversations");
  document.querySelector(".chat-sidebar [aria-current]")?.removeAttribute("aria-current");
  const item = list?.querySelector("template").content.firstElementChild.cloneNode(true);
  if (!item) return;
  Object.assign(item.firstElementChild, { href: location.href, textContent: document.title });
  list.prepend(item);
}
