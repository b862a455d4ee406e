/*
 * The entry of the chat page's script, and the only file that a page has to load. It defines <streaming-chat>.
 *
 * The rules are in chat/, one noun a file. This file uses the element and the page around it. The element makes its pieces,
 * such as composer, edits and versions, and each piece finds the others in the element. The page makes the list.
 *
 * All paths are relative, so they need no map. If a static files storage gives the files other names, {% chat_assets %}
 * writes a map that leads to these names.
 */

import { StreamingChat } from "./chat/element.js";
import { followConversation } from "./chat/page.js";

customElements.define("streaming-chat", StreamingChat);
followConversation();
