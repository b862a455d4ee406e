import { List } from "./list.js";
import { listenForShortcuts } from "./shortcuts.js";
import { letChooseTheme } from "./theme.js";

/**
 * Keeps the page around a chat true to its conversation: a new conversation gets its address, its title, and its place
 * in the list. This is done for a chat that is the whole page only.
 */
export function followConversation() {
  const chat = document.querySelector("streaming-chat[data-whole-page]");
  const nav = document.querySelector(".chat-sidebar");
  const page = document.querySelector(".chat-page");
  let shownPath = location.pathname;
  if (page) letChooseTheme(page);
  if (!chat?.form) return;
  if (page) listenForShortcuts(page, chat);
  const list = nav?.querySelector(".chat-list") && new List(nav, chat);

  addEventListener("popstate", () => location.pathname === shownPath || location.reload());

  chat.addEventListener("streaming-chat:started", ({ detail }) => {
    history.pushState(null, "", chat.pageAddress);
    shownPath = location.pathname;
    showTitle(detail.title.split("\n")[0]);
    list?.begun();
  });
  chat.addEventListener("streaming-chat:renamed", ({ detail }) => showTitle(detail.title));
}

function showTitle(title) {
  const heading = document.querySelector(".chat-title");
  document.title = title;
  if (heading) heading.textContent = document.title; // the browser has collapsed its spaces
}
