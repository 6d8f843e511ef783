// Keeps methods of strings fast in a process that loads ioredis.

/**
 * A class that extends String (ioredis has one) makes V8 put the properties of `String.prototype` into a dictionary, where its
 * compiler cannot see the methods: every `charCodeAt` of every head is then looked up by name, which cost the edge a tenth of its
 * time per request. V8 puts it right when code that it watches misses a property of a String object: this is such code.
 */
export function keepStringsFast(): void {
  // It begins to watch a function after some calls; one look at the next object then suffices.
  for (let call = 0; call < watchedAfterCalls; call++) missOf(Object(""))
}

const watchedAfterCalls = 1000

function missOf(text: { readonly nothing?: unknown }): unknown {
  return text.nothing
}
