import { parse } from "./html.js";
import { Refusal } from "./refusal.js";

const PLAIN = "text/plain";
const HTML = "text/html";
const JSON_TYPE = "application/json";
const STREAM = "text/event-stream";
const TRY_LATER = 429;

/** Returns true for a trouble that passes by itself: no network, a busy site, a site that is being restarted. */
const isPassing = (response) => !response || response.status === TRY_LATER || response.status >= 500;

const isOf = (response, type) => Boolean(response.headers.get("content-type")?.startsWith(type));

const jsonRequest = (body, method = "POST") => ({
  method,
  headers: { "content-type": JSON_TYPE },
  body: JSON.stringify(body),
});

/**
 * Returns the response, or null if the network fails. A redirect is not followed: this app never redirects a script.
 * It comes from what asks people to sign in, and may lead to another site, where a script gets no response at all.
 */
const request = (address, options) => fetch(address, { redirect: "manual", ...options }).catch(() => null);

/**
 * The site, as one conversation talks to it. The addresses come from the element's data attributes.
 * Each method throws a `Refusal` if the site cannot be reached or responds with anything else than was asked for.
 */
export class Server {
  constructor(dataset, texts) {
    Object.assign(this, { dataset, texts }); // the dataset is live: a new conversation gets its key with its first message
  }

  /** Posts messages and returns the response with the answer's stream, HTML included. */
  async post(body) {
    return this.expect(STREAM, await request(`${this.dataset.api}?html=1`, jsonRequest(body)));
  }

  /** Returns a message as it was written. `following` is the id of the message after it; there may be none. */
  async written(id, following) {
    const asked = new URLSearchParams({ limit: 2, ...(following && { before: following }) });
    const response = await request(`${this.of(this.dataset.conversation)}?${asked}`);
    const { messages } = await (await this.expect(JSON_TYPE, response)).json();
    return messages.find((one) => one.id === id);
  }

  /**
   * Returns what has become of the conversation: `active` while an answer is written, the id of the `last` message, and a
   * `tag` that changes with it. Returns null if it is as it was at `tag`, or if the site is away.
   */
  async state(tag) {
    const headers = tag ? { "if-none-match": tag } : {};
    const response = await request(`${this.of(this.dataset.conversation)}?limit=1`, { headers });
    if (isPassing(response) || response.status === 304) return null;
    const { active, messages } = await (await this.expect(JSON_TYPE, response)).json();
    return { active, last: messages.at(-1)?.id, tag: response.headers.get("etag") };
  }

  /** Opens the stream of the answer that is being written. Returns null if that may work in a moment. */
  async stream() {
    const response = await request(`${this.address("stream")}?html=1`, { headers: { accept: STREAM } });
    if (isPassing(response)) return null;
    return response.status === 204 ? response : this.expect(STREAM, response);
  }

  /** Stops this answer and no later one. */
  async stop(messageId) {
    const body = { method: "POST", body: JSON.stringify({ messageId }) };
    return this.expect(JSON_TYPE, await request(this.address("stop"), body), this.texts.unstopped);
  }

  /** Keeps what a person thinks of an answer. Without an opinion, an older one is removed. */
  async rate(messageId, opinion) {
    const address = `${this.address("messages")}/${encodeURIComponent(messageId)}/feedback`;
    const response = await request(address, opinion ? jsonRequest(opinion, "PUT") : { method: "DELETE" });
    return response?.status === 204 ? response : this.expect(JSON_TYPE, response, this.texts.unkept);
  }

  /** Makes the version with this id the one that is shown. */
  async choose(messageId) {
    const response = await request(this.address("branch"), jsonRequest({ messageId }));
    return this.expect(JSON_TYPE, response, this.texts.unshown);
  }

  /** Uploads a file and returns what the site knows about it. `signal` aborts the upload. */
  async upload(file, signal) {
    const body = new FormData();
    body.append("file", file);
    const response = await request(this.dataset.files, { method: "POST", body, signal });
    return (await this.expect(JSON_TYPE, response, this.texts.notUploaded)).json();
  }

  /**
   * Returns the messages as the server's page shows them, with their buttons and choices in the forms of the chat with
   * the id `chatId`: the newest, those from the message `asked.from` on, or those before `asked.before`. Returns null if
   * that may work in a moment.
   */
  async messages(chatId, asked = {}) {
    const address = new URL(this.pageAddress, location.href);
    for (const [name, value] of Object.entries(asked)) if (value) address.searchParams.set(name, value);
    const response = await request(address);
    if (isPassing(response)) return null;
    const page = await this.expect(HTML, response);
    const shown = parse(await page.text()).querySelector("streaming-chat");
    const fresh = shown?.querySelector(".chat-messages");
    if (!fresh) throw new Refusal(this.texts.unexpected);
    for (const control of fresh.querySelectorAll("[form]")) {
      control.setAttribute("form", control.getAttribute("form").replace(shown.id, chatId));
    }
    if (!("wholePage" in this.dataset)) for (const one of fresh.querySelectorAll("[id]")) one.removeAttribute("id");
    return fresh;
  }

  /** Changes the title of a conversation, or pins it. */
  async change(key, changes) {
    return this.expect(JSON_TYPE, await request(this.of(key), jsonRequest(changes, "PATCH")), this.texts.offline);
  }

  /** Deletes a conversation. */
  async remove(key) {
    const response = await request(this.of(key), { method: "DELETE" });
    return response?.status === 204 ? response : this.expect(JSON_TYPE, response, this.texts.offline);
  }

  /** Returns the list of conversations that the page at this address shows. */
  async list(address) {
    const page = await this.expect(HTML, await request(address), this.texts.offline);
    const fresh = parse(await page.text()).querySelector(".chat-list");
    if (!fresh) throw new Refusal(this.texts.unexpected);
    return fresh;
  }

  /** Returns the response if it is a success of this type. Without a response, `unreachable` says what did not work. */
  async expect(type, response, unreachable = this.texts.unreachable) {
    if (!response) throw new Refusal(unreachable);
    if (response.ok && isOf(response, type)) return response;
    throw await this.refusal(response);
  }

  async refusal(response) {
    const isAway = response.status === 401 || response.type === "opaqueredirect";
    const { status } = response;
    if (isAway) return new Refusal(this.texts.signedOut, "signed-out", status);
    if (!response.ok && isOf(response, PLAIN)) return new Refusal(await response.text(), "refused", status);
    return new Refusal(status === 404 ? this.texts.gone : this.texts.unexpected, "refused", status);
  }

  /** Returns the address of a conversation. */
  of(key) {
    return `${this.dataset.api}/${encodeURIComponent(key)}`;
  }

  address(verb) {
    return `${this.of(this.dataset.conversation)}/${verb}`;
  }

  get pageAddress() {
    return this.dataset.page.replace("__key__", encodeURIComponent(this.dataset.conversation));
  }
}
