import { Answer } from "./answer.js";
import { readChunks } from "./stream.js";

const FIRST_PAUSE = 500; // milliseconds before the first attempt to reconnect; each pause is twice as long as the last
const LONGEST_PAUSE = 15_000;
const REMINDER = 7_000; // milliseconds between two "still answering" for screen readers

/** Waits. The browser's report that it is online again ends the wait early. */
const pause = (ms) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
    addEventListener("online", resolve, { once: true });
  });

/** Asks for answers, shows each to its end, and stops it. `answer` is the last one. */
export class Conversation {
  constructor(chat) {
    this.chat = chat;
  }

  /** Posts `body` and shows the answer to its end. Returns false if the site refused it or was not reached. */
  async ask(body, onAccepted) {
    this.chat.messages.querySelector(".chat-refused")?.remove();
    const answer = this.chat.add("assistant");
    this.chat.follower.hold();
    return this.answering(answer, async () => {
      const response = await this.post(body);
      if (response?.ok) {
        onAccepted();
        await this.follow(answer, response);
        return true;
      }
      await this.refuse(answer, response);
      answer.article.classList.add("chat-refused");
      return false;
    });
  }

  post(body) {
    return (this.posting = this.chat.server.post(body));
  }

  async refuse(answer, response) {
    answer.note("refused", response ? await response.text() : this.chat.texts.unreachable);
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
      const response = await this.post(body);
      if (response?.ok) await response.body.cancel(); // `follow` opens the whole answer's stream
      settle(Boolean(response?.ok));
      return response?.ok ? this.follow(answer) : this.refuse(answer, response);
    });
  }

  /** Shows an answer to its end, over as many connections as that takes. `response` is the first, if one is open. */
  async follow(answer, response) {
    for (let ms = FIRST_PAUSE; ; ms = Math.min(2 * ms, LONGEST_PAUSE)) {
      try {
        response ??= await this.chat.server.stream();
        if (response.status !== 200 && response.status < 500) return await this.refresh(answer);
        if (response.status === 200) for await (const chunks of readChunks(response)) answer.apply(chunks);
        if (answer.isAnother) return await this.refresh(answer);
      } catch (trouble) {
        if (!(trouble instanceof TypeError)) throw trouble; // `fetch` reports a broken network as a TypeError
      }
      if (answer.isOver) return;
      response = undefined;
      answer.note("reconnecting", this.chat.texts.reconnecting);
      await pause(ms);
    }
  }

  /** Takes the messages from the server's page, because the answer ended while this page was not connected. */
  async refresh(answer) {
    await this.chat.reload();
    answer.article = this.chat.messages.lastElementChild;
  }

  /** Does the work of an answer. Meanwhile the page shows and says that one is being written. */
  async answering(answer, work) {
    const { chat } = this;
    this.answer = answer;
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
      chat.toggleAttribute("data-active", false);
      answer.article.removeAttribute("aria-busy");
      chat.announce(answer.article);
      chat.approvals.decided(answer.article); // a choice may have been made while another call still ran
    }
  }

  async stop() {
    await this.posting; // the server cannot stop what it does not know yet
    const { answer } = this;
    const stopped = await this.chat.server.stop(answer.article.dataset.message);
    if (!stopped?.ok) answer.note("unstopped", this.chat.texts.unstopped);
  }
}
