/** The choices that a person makes about tool calls which wait for approval. */
export class Approvals {
  constructor(chat) {
    this.chat = chat;
    chat.messages.addEventListener("change", ({ target }) => this.decided(target.closest(".chat-message")));
  }

  /** Sends the choices once each call that waits has one. The answer then goes on. */
  async decided(article) {
    const { chat } = this;
    const cards = [...article.querySelectorAll('[data-state="approval-requested"]')];
    const choices = cards.map((card) => card.querySelector("input:checked"));
    if (chat.isActive || !cards.length || !choices.every(Boolean)) return;
    const parts = cards.map((card, at) => responseTo(card, choices[at]));
    const message = { id: article.dataset.message, role: "assistant", parts };
    const body = { id: chat.dataset.conversation, messages: [message] };
    await chat.conversation.proceed(article, body, (isAccepted) => {
      if (isAccepted) for (const card of cards) card.dataset.state = "approval-responded";
      else for (const choice of choices) choice.checked = false;
    });
  }
}

function responseTo({ dataset: { call } }, { value }) {
  return { toolCallId: call, state: "approval-responded", approval: { id: call, approved: value === "allow" } };
}
