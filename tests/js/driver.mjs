// The stock client of the npm package `ai`, under remote control: one JSON object a line in, one out.
//
//   {"id": 1, "do": "open", "chat": "a", "version": "v7", "transport": "http", "url": …, "key": …, …}
//   {"id": 2, "do": "sendMessage", "chat": "a", "with": [{"text": "Hello?"}]}      any method of Chat
//   {"id": 3, "do": "state", "chat": "a"}
//   {"id": 4, "do": "openObject", "chat": "o", "url": …, "path": …, "schema": …}           the hook useObject
//
// Answers are {"id", "result"} or {"id", "error"}, in whatever order they are ready: a method answers when its promise
// is settled. The only things added to the client are what a browser has and Node has not: cookies and WebSocket.
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { WebSocket } from "ws";
import { OBJECT_COMMANDS, openObject } from "./object.mjs";

const chats = new Map();

// The functions of the documentation's example, as they stand there; `fetch` is what a page has.
const page = await readFile(new URL("../../docs/use-chat.md", import.meta.url), "utf8");
const [, example] = page.split("## Branches")[1].match(/```js\n(.*?)```/s);
const [, fromStart] = page.match(/prepareReconnectToStreamRequest: (.*),\n/);
const documented = new Function("fetch", `${example.replaceAll("export ", "")} return { load, show };`);

/** Memory in place of a framework's reactive state. */
class State {
  status = "ready";
  error = undefined;

  constructor(messages) {
    this.messages = messages;
  }

  pushMessage = (message) => {
    this.messages = [...this.messages, message];
  };

  popMessage = () => {
    this.messages = this.messages.slice(0, -1);
  };

  replaceMessage = (index, message) => {
    this.messages = this.messages.map((known, place) => (place === index ? message : known));
  };

  snapshot = (value) => structuredClone(value);
}

/** What went over the wire: `requests` of HTTP, `frames` of WebSocket as `[direction, frame]`. */
class Wire {
  requests = [];
  frames = [];
  sockets = [];
}

const TRANSPORTS = {
  http: (sdk, { url, cookie, provider, isBrief, isFromStart }, wire) =>
    new sdk.DefaultChatTransport({
      api: `${url}/api/chat`,
      body: { provider },
      headers: { cookie },
      ...(isBrief && {
        prepareSendMessagesRequest: ({ id, messages, trigger, messageId, body }) => ({
          body: { ...body, id, trigger, messageId, messages: messages.slice(-1) },
        }),
      }),
      ...(isFromStart && { prepareReconnectToStreamRequest: new Function(`return ${fromStart}`)() }),
      fetch: async (address, init) => {
        const response = await fetch(address, init);
        wire.requests.push({ method: init.method, path: new URL(address).pathname, status: response.status });
        return response;
      },
    }),
  socket: (sdk, { url, cookie, provider, isBrief, wantsHtml }, wire) =>
    new sdk.WebSocketChatTransport({
      url: `${url.replace("http", "ws")}/ws/chat/`,
      body: { provider },
      ...(wantsHtml && { params: { html: "1" } }),
      ...(isBrief && { prepareSendMessagesRequest: ({ messages }) => ({ messages: messages.slice(-1) }) }),
      webSocket: class extends WebSocket {
        constructor(address, protocols) {
          super(address, protocols, { headers: { cookie, origin: url } });
          wire.sockets.push(this);
          this.on("message", (data) => wire.frames.push(["in", JSON.parse(data)]));
        }

        send(data) {
          wire.frames.push(["out", JSON.parse(data)]);
          super.send(data);
        }
      },
    }),
};

async function open(command) {
  const sdk = await import(`ai-${command.version}`);
  class Chat extends sdk.AbstractChat {
    constructor({ messages, ...init }) {
      super({ ...init, state: new State(messages) });
    }
  }
  const wire = new Wire();
  const transport = TRANSPORTS[command.transport](sdk, command, wire);
  const finished = [];
  const data = [];
  const isComplete = (messages) =>
    sdk.lastAssistantMessageIsCompleteWithToolCalls(messages) ||
    sdk.lastAssistantMessageIsCompleteWithApprovalResponses?.(messages);
  const chat = new Chat({
    id: command.key,
    messages: command.messages,
    transport,
    onData: (part) => data.push(part),
    sendAutomaticallyWhen: command.isAutomatic ? isComplete : undefined,
    onFinish: ({ isAbort, isDisconnect, isError }) => finished.push({ isAbort, isDisconnect, isError }),
  });
  const functions = documented((path, { headers, ...init } = {}) =>
    fetch(command.url + path, { ...init, headers: { ...headers, cookie: command.cookie } }),
  );
  return { sdk, chat, wire, finished, data, functions };
}

function state({ chat, wire, finished, data }) {
  const { status, error, messages } = chat;
  return {
    status,
    error: error ? { name: error.name, message: error.message } : null,
    messages,
    finished,
    requests: wire.requests,
    frames: wire.frames,
    data,
  };
}

/** Commands besides the methods of Chat. */
const COMMANDS = {
  ...OBJECT_COMMANDS,
  open: () => {},
  state,
  // What frameworks call `setMessages` is the setter of Chat.
  reload: async ({ chat, functions }) => void (chat.messages = await functions.load(chat.id)),
  walk: async ({ chat, functions }, messageId) => void (chat.messages = await functions.show(chat.id, messageId)),
  drop: ({ wire }) => wire.sockets.forEach((socket) => socket.terminate()),
  // By the package's own schema; it answers with the complaint, if there is one.
  validate: async ({ sdk }, messages) => {
    const { success, error } = await sdk.safeValidateUIMessages({ messages });
    return success ? null : error.message;
  },
  close: async ({ chat, wire }) => {
    await chat.stop();
    wire.sockets.forEach((socket) => socket.close());
  },
};

const OPENING = { open, openObject };

async function perform(command) {
  if (command.do in OPENING) chats.set(command.chat, OPENING[command.do](command));
  const opened = await chats.get(command.chat);
  const given = command.with ?? [];
  return command.do in COMMANDS ? COMMANDS[command.do](opened, ...given) : opened.chat[command.do](...given);
}

function answer(reply) {
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  perform(command).then(
    (result) => answer({ id: command.id, result }),
    (error) => answer({ id: command.id, error: String(error?.stack ?? error) }),
  );
}
process.exit(0);
