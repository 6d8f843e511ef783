// The agents' endpoints by name: what they are called and the one method that each takes (docs/protocol.md).

export const endpointPrefix = "/.restante/v1/"

export const endpointMethods: Readonly<Record<string, string>> = {
  attach: "POST",
  poll: "POST",
  push: "POST",
  websocket: "GET",
  session: "DELETE",
}

/** Whether this target is an agents' endpoint, and not a page for people. */
export function isAgents(target: string): boolean {
  return target.startsWith(endpointPrefix) && target.slice(endpointPrefix.length) in endpointMethods
}
