import { parse } from "./html.js";

const jsonRequest = (body) => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

/**
 * The site, as one conversation talks to it. The addresses come from the element's data attributes.
 * A network that fails rejects with a TypeError, as `fetch` does, unless a method returns null instead.
 */
export class Server {
  constructor(dataset) {
    this.dataset = dataset; // it is live: a new conversation gets its key with its first message
  }

  /** Posts messages and returns the response, or null if the network fails. */
  post(body) {
    return fetch(`${this.dataset.api}?html=1`, jsonRequest(body)).catch(() => null);
  }

  /** Opens the stream of the answer that is being written. */
  stream() {
    return fetch(`${this.address("stream")}?html=1`, { headers: { accept: "text/event-stream" } });
  }

  /** Stops this answer and no later one. Returns the response, or null if the network fails. */
  stop(messageId) {
    return fetch(this.address("stop"), { method: "POST", body: JSON.stringify({ messageId }) }).catch(() => null);
  }

  /** Makes the version with this id the one that is shown. */
  choose(messageId) {
    return fetch(this.address("branch"), jsonRequest({ messageId }));
  }

  /** Uploads a file and returns the response, or null if the network fails or `signal` aborts. */
  upload(file, signal) {
    const body = new FormData();
    body.append("file", file);
    return fetch(this.dataset.files, { method: "POST", body, signal }).catch(() => null);
  }

  /** Returns the messages as the server's page shows them, with their buttons and choices in the form `formId`. */
  async messages(formId) {
    const page = await fetch(this.pageAddress);
    const fresh = parse(await page.text()).querySelector("streaming-chat .chat-messages");
    for (const control of fresh.querySelectorAll("[form]")) control.setAttribute("form", formId);
    return fresh;
  }

  address(verb) {
    return `${this.dataset.api}/${encodeURIComponent(this.dataset.conversation)}/${verb}`;
  }

  get pageAddress() {
    return this.dataset.page.replace("__key__", encodeURIComponent(this.dataset.conversation));
  }
}
