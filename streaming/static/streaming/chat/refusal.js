/**
 * The site did not do what was asked. `message` is a sentence for people. `kind` is "signed-out" if signing in helps,
 * or else "refused".
 */
export class Refusal extends Error {
  constructor(message, kind = "refused") {
    super(message);
    this.kind = kind;
  }
}
