/**
 * Yields the chunks of a UI message stream, one array for each read: what arrives together is shown together. The stream
 * may break off at any place.
 */
export async function* readChunks(response) {
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  try {
    for (let rest = ""; ; ) {
      const { done, value } = await reader.read().catch(() => ({ done: true })); // the network failed
      if (done) return;
      const frames = (rest + decoder.decode(value, { stream: true })).split("\n\n");
      rest = frames.pop();
      yield frames.flatMap(chunkIn);
    }
  } finally {
    reader.cancel().catch(() => {}); // else a stream that the page cannot show stays open
  }
}

/** Returns the chunk of a frame, in an array. Heartbeats and the end of the stream have none. */
function chunkIn(frame) {
  const data = frame.split("\n").find((line) => line.startsWith("data: "))?.slice(6);
  return data && data !== "[DONE]" ? [JSON.parse(data)] : [];
}
