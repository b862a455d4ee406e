import { getToolName, isToolUIPart } from "ai";

const NOTES = {
  cancelled: "Stopped.",
  interrupted: "The server stopped while answering. What arrived is kept.",
  truncated: "The answer broke off. What arrived is kept.",
};

export function Message({ role, parts, metadata, onApproval }) {
  const note = NOTES[metadata?.status];
  return (
    <li className={role}>
      {parts.map((part, index) => (
        <Part key={index} part={part} onApproval={onApproval} />
      ))}
      {note && <small>{note}</small>}
    </li>
  );
}

/** Text goes in as text: React escapes what a model writes. */
const PARTS = {
  text: ({ part }) => <div className="text" dir="auto">{part.text}</div>,
  reasoning: ({ part }) => (
    <details>
      <summary>Reasoning</summary>
      <div className="text">{part.text}</div>
    </details>
  ),
};

function Part({ part, onApproval }) {
  const Shown = isToolUIPart(part) ? Tool : PARTS[part.type];
  return Shown ? <Shown part={part} onApproval={onApproval} /> : null;
}

const STATES = {
  "input-streaming": "…",
  "input-available": "called",
  "approval-requested": "asks for approval",
  "approval-responded": "answered",
  "output-available": "done",
  "output-error": "failed",
  "output-denied": "denied",
};
const json = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

function Tool({ part, onApproval }) {
  const asks = part.state === "approval-requested";
  const answer = (approved) => onApproval({ id: part.approval.id, approved });
  return (
    <details className="tool" open={asks || part.state === "output-error"}>
      <summary>
        {getToolName(part)} <small>{STATES[part.state]}</small>
      </summary>
      <pre>{json(part.input ?? part.rawInput)}</pre>
      {asks && (
        <p>
          <button onClick={() => answer(true)}>Approve</button> <button onClick={() => answer(false)}>Deny</button>
        </p>
      )}
      <pre>{json(part.output ?? part.errorText)}</pre>
    </details>
  );
}
