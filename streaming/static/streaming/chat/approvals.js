/** The choices that a person makes about tool calls which wait for approval. */
export class Approvals {
  constructor(chat) {
    this.chat = chat;
    chat.messages.addEventListener("click", ({ target }) => {
      const button = target.closest(".chat-choice");
      if (button) this.choose(button);
    });
    chat.messages.addEventListener("keydown", (event) => {
      const isReason = event.key === "Enter" && event.target.matches(".chat-decision input");
      if (isReason) event.preventDefault(); // it would send the composer's message
    });
  }

  /** Gives a card that waits for a person what one needs to decide. Takes it from any other card. */
  offer(card) {
    const shown = card.querySelector(".chat-decision");
    if (card.dataset.state !== "approval-requested") shown?.remove();
    else if (!shown) card.append(this.chat.clone("decision"));
  }

  /** Takes a choice, or takes it back at the second press. */
  choose(button) {
    const isTaken = button.getAttribute("aria-pressed") === "true";
    for (const one of button.parentElement.children) one.setAttribute("aria-pressed", "false");
    button.setAttribute("aria-pressed", String(!isTaken));
    this.decided(button.closest(".chat-message"));
  }

  /** Sends the choices once each call that waits has one. The answer then goes on. */
  async decided(article) {
    const { chat } = this;
    const cards = [...article.querySelectorAll('[data-state="approval-requested"]')];
    const choices = cards.map((card) => card.querySelector('.chat-choice[aria-pressed="true"]'));
    if (chat.isBusy || !cards.length || !choices.every(Boolean)) return;
    const parts = cards.map((card, at) => responseTo(card, choices[at]));
    const message = { id: article.dataset.message, role: "assistant", parts };
    const body = { id: chat.dataset.conversation, messages: [message] };
    await chat.conversation.proceed(article, body, (isAccepted) => {
      if (isAccepted) for (const card of cards) card.dataset.state = "approval-responded";
      else for (const choice of choices) choice.setAttribute("aria-pressed", "false");
    });
  }
}

function responseTo(card, { dataset: { choice } }) {
  const id = card.dataset.call;
  const reason = card.querySelector("[data-reason]").value.trim();
  const approval = { id, approved: choice === "allow", ...(reason && { reason }) };
  return { toolCallId: id, state: "approval-responded", approval };
}
