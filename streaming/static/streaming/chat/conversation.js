import { Answer } from "./answer.js";
import { Pauses } from "./pauses.js";
import { readChunks } from "./stream.js";

const REMINDER = 7_000; // milliseconds between two "still answering" for screen readers

/**
 * Asks for answers, shows each to its end, and stops it. `answer` is the last one. `posting` is the request for it, null
 * if it was begun elsewhere.
 */
export class Conversation {
  constructor(chat) {
    this.chat = chat;
  }

  /** Posts `body` and shows the answer to its end. Returns false if the site refused it or was not reached. */
  async ask(body, onAccepted, onRefused) {
    this.chat.messages.querySelector(".chat-refused")?.remove();
    const answer = this.chat.add("assistant");
    this.chat.follower.hold();
    return this.answering(answer, async () => {
      const response = await this.post(body).catch((trouble) => {
        answer.refuse(trouble);
        answer.article.classList.add("chat-refused");
        onRefused?.(trouble.status);
      });
      if (!response) return false;
      onAccepted();
      await this.follow(answer, response);
      return true;
    });
  }

  post(body) {
    const { provider } = this.chat;
    return (this.posting = this.chat.server.post(provider ? { ...body, provider } : body));
  }

  /** Goes on with an answer that was being written when the page was loaded. */
  resume() {
    const article = this.chat.messages.querySelector("[aria-busy]");
    const answer = article ? new Answer(this.chat, article) : this.chat.add("assistant");
    return this.answering(answer, () => this.follow(answer));
  }

  /** Posts what an answer waits for and shows the rest of it. Calls `settle(isAccepted)` once the site has replied. */
  proceed(article, body, settle) {
    const answer = new Answer(this.chat, article);
    return this.answering(answer, async () => {
      const response = await this.post(body).catch((trouble) => answer.refuse(trouble));
      await response?.body.cancel(); // `follow` opens the whole answer's stream
      settle(Boolean(response));
      if (response) await this.follow(answer);
    });
  }

  /** Shows an answer to its end. If the site refuses that, a note says why, and the page does not ask again. */
  async follow(answer, response) {
    try {
      await this.read(answer, response);
    } catch (trouble) {
      answer.refuse(trouble);
    }
  }

  /** Reads an answer over as many connections as that takes. `response` is the first, if one is open. */
  async read(answer, response) {
    for (const pauses = new Pauses(); ; await pauses.next()) {
      response ??= await this.chat.server.stream();
      const hasEnded = response?.status === 204;
      if (response && !hasEnded) await this.draw(answer, response, pauses);
      if (!this.chat.isConnected) return;
      if ((hasEnded || answer.isAnother) && (await this.refresh(answer))) return;
      if (answer.isOver && !answer.isAnother) return;
      response = null;
      answer.note("reconnecting", this.chat.texts.reconnecting);
    }
  }

  /** Draws what one connection brings. */
  async draw(answer, response, pauses) {
    for await (const chunks of readChunks(response)) {
      answer.apply(chunks);
      pauses.reset();
      if (!this.chat.isConnected) return; // this closes the connection
    }
  }

  /**
   * Takes the messages from the server's page, because the answer ended while this page was not connected. Returns false
   * if that may work in a moment.
   */
  async refresh(answer) {
    const isDone = await this.chat.reload();
    if (isDone) answer.article = this.chat.messages.lastElementChild;
    return isDone;
  }

  /** Does the work of an answer. Meanwhile the page shows and says that one is being written. */
  async answering(answer, work) {
    const { chat } = this;
    Object.assign(this, { answer, posting: null });
    chat.composer.takeFocus();
    chat.toggleAttribute("data-active", true);
    answer.article.setAttribute("aria-busy", "true");
    chat.say("answering");
    const reminder = setInterval(() => chat.say("stillAnswering"), REMINDER);
    try {
      return await work();
    } catch (trouble) {
      answer.note("broken", chat.texts.broken);
      throw trouble;
    } finally {
      clearInterval(reminder);
      chat.composer.takeFocus();
      chat.toggleAttribute("data-active", false);
      answer.article.removeAttribute("aria-busy");
      chat.announce(answer.article);
      chat.dispatchEvent(new CustomEvent("streaming-chat:finished", { bubbles: true }));
      if (answer.isOver) chat.report("finish", { id: answer.article.dataset.message, status: answer.metadata.status });
      chat.approvals.decided(answer.article); // a choice may have been made while another call still ran
      if (chat.isConnected) chat.queue?.ended(answer.article);
    }
  }

  async stop() {
    const { answer } = this;
    try {
      await this.posting; // the server cannot stop what it does not know yet
      await this.chat.server.stop(answer.article.dataset.message);
    } catch (trouble) {
      answer.refuse(trouble);
    }
  }
}
