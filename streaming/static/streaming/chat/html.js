/*
 * Under Trusted Types a page parses HTML only through a policy. This one is for the HTML of the chat's own server alone,
 * which has cleaned it.
 */
const policy = globalThis.trustedTypes?.createPolicy("streaming-chat", { createHTML: (html) => html });

const trusted = (html) => policy?.createHTML(html) ?? html;

/** Returns a page as a document. */
export const parse = (html) => new DOMParser().parseFromString(trusted(html), "text/html");

/** Returns the nodes of a piece of HTML, also of table rows and list items. */
export function nodesOf(html) {
  const template = document.createElement("template");
  template.innerHTML = trusted(html);
  return [...document.importNode(template.content, true).childNodes];
}
