import { useChat } from "@ai-sdk/react";
import { DefaultChatTransport, generateId, lastAssistantMessageIsCompleteWithApprovalResponses } from "ai";
import { useCallback, useEffect, useState } from "react";
import { Message } from "./Message.jsx";

const API = "/api/chat"; // where the site includes streaming.urls
const transport = new DefaultChatTransport({
  api: API,
  // From the answer's first event: it is told whole also if it has ended since the page was loaded.
  prepareReconnectToStreamRequest: ({ api, id }) => ({ api: `${api}/${encodeURIComponent(id)}/stream?after=0` }),
});
const PAUSE = 2000; // ms until a lost site is asked again

/** The conversation is named in the page's address, so that a reload and a bookmark find it again. */
const id = new URLSearchParams(location.search).get("chat") ?? generateId();
const address = `${API}/${encodeURIComponent(id)}`;
history.replaceState(null, "", `?chat=${encodeURIComponent(id)}`);

/** The conversation's messages, as soon as the site can be reached; none for a new one. */
async function load() {
  for (;;) {
    const response = await fetch(address).catch(() => null);
    if (response?.ok) return { ...(await response.json()), at: Date.now() };
    if (response && response.status < 500) return { messages: [], at: Date.now() };
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

const first = load();

export function App() {
  const [loaded, setLoaded] = useState(null);
  const reload = useCallback(() => load().then(setLoaded), []);
  useEffect(() => void first.then(setLoaded), []);
  return loaded && <Chat key={loaded.at} {...loaded} onLost={reload} />;
}

function Chat({ messages: history, active, onLost }) {
  const { messages, sendMessage, regenerate, addToolApprovalResponse, status, error } = useChat({
    id,
    transport,
    messages: history,
    resume: active, // an answer that is being written goes on from its first word
    sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses,
  });
  const last = messages.at(-1);
  const isBusy = status === "submitted" || status === "streaming";
  const isWaiting = isBusy && !(last?.role === "assistant" && last.parts.some(({ type }) => type !== "step-start"));
  const isCut = error instanceof TypeError; // fetch's word for a broken network
  const isLost = isCut && last?.role === "assistant";
  const trouble = isCut ? "The site could not be reached." : error?.message ?? last?.metadata?.error;

  useEffect(() => {
    const timer = isLost && setTimeout(onLost, PAUSE);
    return () => clearTimeout(timer);
  }, [isLost, onLost]);

  // The client's own stop() only hangs up. This ends the answer, here and in every other tab:
  // this one, and not another that was begun there meanwhile.
  const stop = () => {
    const messageId = last?.role === "assistant" ? last.id : undefined;
    return fetch(`${address}/stop`, { method: "POST", body: JSON.stringify({ messageId }) });
  };

  return (
    <>
      <header>
        <h1>Chat</h1>
        <a href="?">New conversation</a>
      </header>
      <main>
        <ol role="log" aria-label="Messages" aria-busy={isBusy}>
          {!last && <li className="quiet">What would you like to know?</li>}
          {messages.map((message) => (
            <Message key={message.id} {...message} onApproval={addToolApprovalResponse} />
          ))}
          {isWaiting && <li className="quiet">…</li>}
          {trouble && !isBusy && <li role="alert">{isLost ? "Connection lost. Reconnecting…" : trouble}</li>}
          {last && !isBusy && !isLost && (
            <li className="actions">
              <button onClick={() => regenerate()}>{trouble ? "Try again" : "Regenerate"}</button>
            </li>
          )}
        </ol>
      </main>
      <Composer isBusy={isBusy} onSend={(text) => sendMessage({ text })} onStop={stop} />
    </>
  );
}

function Composer({ isBusy, onSend, onStop }) {
  const submit = (fields) => {
    const text = fields.get("prompt");
    if (text.trim()) onSend(text);
  };
  const press = (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    if (!isBusy) event.currentTarget.form.requestSubmit();
  };
  return (
    <form action={submit}>
      <textarea name="prompt" aria-label="Message" placeholder="Ask anything" rows="1" onKeyDown={press} autoFocus />
      {isBusy ? <button type="button" onClick={onStop}>Stop</button> : <button>Send</button>}
    </form>
  );
}
