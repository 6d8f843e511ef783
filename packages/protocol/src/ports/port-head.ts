// The head of an OPEN of kind tcp or udp: which port was met, and who came from where. It names the port and never a private
// address: where that leads only the agent's own configuration says.
import { portNamePattern } from "./port-request.ts"

export interface PortHead {
  /** `PortRequest.name`. */
  readonly name: string
  readonly client: PortEnd
  /** Where the client reached the edge. */
  readonly edge: PortEnd
}

export interface PortEnd {
  /** IPv4 or IPv6, without brackets or zone. */
  readonly address: string
  readonly port: number
}

export function portHeadText({ name, client, edge }: PortHead): string {
  return `${name} ${client.address} ${client.port} ${edge.address} ${edge.port}\r\n\r\n`
}

/** Undefined for a text that is not such a head, to the last character. */
export function parsePortHead(text: string): PortHead | undefined {
  const groups = headPattern.exec(text)
  if (groups === null) return undefined
  const [, name = "", clientAddress = "", clientPort = "", edgeAddress = "", edgePort = ""] = groups
  if (!portNamePattern.test(name) || Number(clientPort) > 65_535 || Number(edgePort) > 65_535)
    return undefined
  return {
    name,
    client: { address: clientAddress, port: Number(clientPort) },
    edge: { address: edgeAddress, port: Number(edgePort) },
  }
}

const headPattern = /^([\w-]{1,16}) ([\da-fA-F:.]{2,45}) (\d{1,5}) ([\da-fA-F:.]{2,45}) (\d{1,5})\r\n\r\n$/
