// What an agent asks an edge for beyond HTTP: ports of the public host whose connections or datagrams it wants.
export const portKinds = ["tcp", "udp"] as const
export type PortKind = (typeof portKinds)[number]

/** One port that an agent asks for. */
export interface PortRequest {
  readonly kind: PortKind
  /** How edge and agent call it: the port's number, or `auto`, `auto-2` … for those that the edge chooses. */
  readonly name: string
  /** 1 to 65535; 0 leaves the choice to the edge. */
  readonly port: number
}

/** One that it was given. */
export interface OpenPort extends Pick<PortRequest, "kind" | "name"> {
  /** 1 to 65535. */
  readonly port: number
}

export const portNamePattern: RegExp = /^(?:[1-9]\d{0,4}|auto(?:-[1-9]\d{0,2})?)$/

/** Most ports of one agent. */
export const maxPorts = 64
