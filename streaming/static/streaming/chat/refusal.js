/**
 * The site did not do what was asked. `message` is a sentence for people. `kind` is "signed-out" if signing in helps,
 * or else "refused".
 * `status` is that of the response, if there was one.
 */
export class Refusal extends Error {
  constructor(message, kind = "refused", status) {
    super(message);
    Object.assign(this, { kind, status });
  }
}
