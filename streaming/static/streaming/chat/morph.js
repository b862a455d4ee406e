/**
 * Makes the children of `parent` after the first `keep` like `fresh`, with as few changes as possible. What was only
 * written further keeps its nodes, so a selection in it stays, and nothing that is loaded is loaded again.
 */
export function morph(parent, fresh, keep = 0) {
  fresh.forEach((node, at) => put(parent, keep + at, node));
  for (const gone of [...parent.childNodes].slice(keep + fresh.length)) if (!isOurs(gone)) gone.remove();
}

/** True for what the page adds to the server's HTML. */
const isOurs = (node) => node.nodeType === Node.ELEMENT_NODE && node.hasAttribute("data-added");

/** Makes child number `at` of `parent` like `node`. */
export function put(parent, at, node) {
  const old = parent.childNodes[at];
  if (!old) parent.append(node);
  else if (!isAlike(old, node)) old.replaceWith(node);
  else if (node.nodeType === Node.TEXT_NODE) write(old, node.data);
  else adapt(old, node);
}

const isAlike = (old, node) => old.nodeName === node.nodeName && old.namespaceURI === node.namespaceURI;

function write(old, text) {
  if (text.startsWith(old.data)) text.length > old.length && old.appendData(text.slice(old.length));
  else old.data = text;
}

function adapt(old, node) {
  for (const name of old.getAttributeNames()) if (!node.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of node.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  morph(old, [...node.childNodes]);
}
