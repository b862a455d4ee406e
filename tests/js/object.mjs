// The stock hook `experimental_useObject` of `@ai-sdk/react`, in a component without a page.
import { experimental_useObject as useObject } from "@ai-sdk/react";
import { jsonSchema } from "ai-v7";
import { createElement, useEffect } from "react";
import { create } from "react-test-renderer";

// Without it, the renderer warns that it is for React Native. A component without a page needs no other one.
globalThis.IS_REACT_NATIVE_TEST_ENVIRONMENT = true;

/** Opens the hook for one endpoint. `seen` are the objects that a page would have shown. */
export async function openObject({ url, cookie, path, schema }) {
  const opened = { seen: [], finished: [], errors: [], responses: [] };

  let shown;
  const isShown = new Promise((resolve) => (shown = () => resolve()));

  function Page() {
    useEffect(shown, []);
    opened.hook = useObject({
      api: `${url}${path}`,
      schema: jsonSchema(schema, { validate: validator(schema) }),
      headers: { cookie },
      fetch: async (address, init) => {
        const response = await fetch(address, init);
        opened.responses.push({ status: response.status, conversation: response.headers.get("X-Streaming-Conversation") });
        return response;
      },
      onFinish: ({ object, error }) => opened.finished.push({ object, error: error?.name }),
      onError: (error) => opened.errors.push(error.message),
    });
    if (opened.hook.object !== undefined) opened.seen.push(opened.hook.object);
    return null;
  }
  create(createElement(Page));
  await isShown;
  return opened;
}

/** Checks the required keys, which is enough to tell a whole object from half of one. */
const validator = ({ required }) => (value) =>
  required.every((key) => value?.[key] !== undefined)
    ? { success: true, value }
    : { success: false, error: new TypeError("not the object") };

export const OBJECT_COMMANDS = {
  openObject: () => {},
  submit: ({ hook }, input) => hook.submit(input),
  stopObject: ({ hook }) => hook.stop(),
  objectState: ({ hook, seen, finished, errors, responses }) => ({
    object: hook.object,
    isLoading: hook.isLoading,
    error: hook.error?.message ?? null,
    seen,
    finished,
    errors,
    responses,
  }),
};
