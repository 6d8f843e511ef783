// A value that must never be printed: whatever would turn it into text gives "[secret]" instead.
const hidden = "[secret]"

/**
 * Holds a token or password. Template strings, `JSON.stringify`, `console.log` and loggers all show "[secret]";
 * only `reveal()` gives the value, so that every place that uses it can be found by that one name.
 */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The value itself. For the one place that sends or hashes it, never for a message or a log. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return hidden
  }

  toJSON(): string {
    return hidden
  }

  /** `console.log` and `util.inspect` ask this before they look inside. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return hidden
  }
}
