// The stock client of AG-UI, `@ag-ui/client`, under remote control: one JSON object a line in, one out, as driver.mjs.
//
//   {"id": 1, "do": "open", "agent": "a", "url": …, "thread": …, "headers": {…}, "bodies": […]}
//   {"id": 2, "do": "ask", "agent": "a", "with": [{…}]}            any method of the documentation's agent
//   {"id": 3, "do": "state", "agent": "a"}
//
// With `bodies`, the agent gets these instead of the network: each is the text of a response. A body that ends with
// CUT breaks off there. `say` adds a message.
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import * as client from "@ag-ui/client";

const CUT = "<cut>";
const page = await readFile(new URL("../../docs/ag-ui.md", import.meta.url), "utf8");
const [example, further] = [...page.split("## Resume")[1].matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code);
const names = ["HttpAgent", "runHttpRequest", "transformHttpEventStream"];
const code = `${example}${further}`.replace(/^import .*$/m, "").replaceAll("export ", "");
const { ResumingAgent, converse } = new Function(...names, `${code} return { ResumingAgent, converse };`)(
  ...names.map((name) => client[name]),
);
const TOOL = { description: "A tool of the page.", parameters: { type: "object", properties: {} } };
const agents = new Map();
const logged = [];
for (const level of ["warn", "error"]) console[level] = (...words) => logged.push(words.map(String).join(" "));

// The client cancels the reader of a stream that has failed, and throws away the promise. A browser only logs that.
process.on("unhandledRejection", (error) => {
  if (error?.message !== "terminated") throw error;
});

/** A response whose body comes in pieces of `size` bytes. It breaks off after `patience` ms. */
function response(text, size = 1 << 20, patience = 0) {
  const isCut = text.endsWith(CUT);
  const bytes = new TextEncoder().encode(isCut ? text.slice(0, -CUT.length) : text);
  let at = 0;
  const pull = async (out) => {
    if (at < bytes.length) return out.enqueue(bytes.slice(at, (at += size)));
    if (!isCut) return out.close();
    if (patience) await new Promise((resolve) => setTimeout(resolve, patience));
    out.error(new TypeError("terminated"));
  };
  return new Response(new ReadableStream({ pull }), { headers: { "content-type": "text/event-stream" } });
}

function open({ url, thread, headers, messages, bodies, size, patience }) {
  const agent = new ResumingAgent({ url, threadId: thread, headers, initialMessages: messages });
  const requests = [];
  const events = [];
  const network = agent.fetch;
  const left = [...(bodies ?? [])];
  agent.pause = 10;
  agent.fetch = async (address, init) => {
    requests.push({ address, method: init.method ?? "GET", body: init.body });
    return bodies ? response(left.shift(), size, patience) : network(address, init);
  };
  agent.subscribe({ onEvent: ({ event }) => void events.push(event) });
  return { agent, requests, events, left };
}

const COMMANDS = {
  open: () => {},
  state: ({ agent, requests, events }) => {
    const { messages, cursor, pendingInterrupts, hasEnded } = agent;
    return { messages, cursor, pendingInterrupts, hasEnded, requests, events, logged: logged.splice(0) };
  },
  feed: ({ left }, ...more) => void left.push(...more),
  move: ({ agent }, url) => void (agent.url = url),
  say: ({ agent }, message) => agent.addMessage(message),
  // As a page that loads.
  connectAgentAfresh: ({ agent }) => {
    agent.cursor = "";
    return agent.connectAgent({ resume: agent.pendingInterrupts.map(({ id }) => ({ interruptId: id, status: "cancelled" })) });
  },
  // `outputs` are those of the page's tools, by name; `decisions` are the payloads, by tool.
  converse: ({ agent }, outputs, decisions, parameters) => {
    const tools = Object.entries(outputs).map(([name, output]) => [name, { ...TOOL, execute: async () => output }]);
    return converse(agent, Object.fromEntries(tools), async ({ name }) => decisions[name], parameters);
  },
  stop: async ({ agent }) => (await agent.stop()).json(),
};

async function perform(command) {
  if (command.do === "open") agents.set(command.agent, open(command));
  const opened = agents.get(command.agent);
  const given = command.with ?? [];
  return command.do in COMMANDS ? COMMANDS[command.do](opened, ...given) : opened.agent[command.do](...given);
}

const answer = (reply) => process.stdout.write(`${JSON.stringify(reply)}\n`);

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  perform(command).then(
    (result) => answer({ id: command.id, result }),
    (error) => answer({ id: command.id, error: String(error?.stack ?? error) }),
  );
}
process.exit(0);
