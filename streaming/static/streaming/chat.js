/*
 * The entry of the chat page's script, and the only file that a page has to load. It defines <streaming-chat>.
 *
 * The rules are in chat/, one noun a file. This file uses the element and the page. The element uses its pieces:
 * composer, edits, feedback, approvals, versions, tray, follower, conversation, answer and message. The pieces use stream,
 * server, keyboard and ids, which use nothing.
 *
 * All paths are relative, so they need no map. If a static files storage gives the files other names, {% chat_assets %}
 * writes a map that leads to these names.
 */

import { StreamingChat } from "./chat/element.js";
import { followConversation } from "./chat/page.js";

customElements.define("streaming-chat", StreamingChat);
followConversation();
