// What all three service commands take: which service is meant.
import { CommandError, type OptionTable } from "@restante/protocol"

export const serviceOptions = {
  name: {
    group: "The service",
    placeholder: "NAME",
    help: "what the service is called, so that there may be several: 1 to 60 of a-z, 0-9, - and _",
    default: "proxy-in",
    read: parseName,
  },
  user: {
    group: "The service",
    flag: true,
    help: "a service of your own instead of the system's; needs no root",
    read: (text: string): boolean => text === "true",
  },
} as const satisfies OptionTable

function parseName(text: string): string {
  if (/^[a-z0-9][a-z0-9_-]{0,59}$/.test(text)) return text
  throw new CommandError(
    "usage",
    "This is not a service's name. Use 1 to 60 of a-z, 0-9, - and _, with a letter or digit first.",
  )
}
