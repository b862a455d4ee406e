/*
 * The entry of the chat page's script, and the only file that a page has to load. It defines <streaming-chat>.
 *
 * The rules are in chat/, one noun a file. This file imports the element and the page. The element imports its pieces:
 * composer, edits, approvals, versions, tray, follower, conversation, answer and message. The pieces import stream,
 * server, keyboard and ids, which import nothing.
 *
 * All imports are relative, so they need no import map. If a static files storage gives the files other names,
 * {% chat_assets %} writes an import map that leads to these names.
 */

import { StreamingChat } from "./chat/element.js";
import { followConversation } from "./chat/page.js";

customElements.define("streaming-chat", StreamingChat);
followConversation();
