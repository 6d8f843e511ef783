// A host and port to connect to.
export interface Place {
  /** Name or address, without brackets. */
  readonly host: string
  readonly port: number
}

export function edgePlace(external: URL): Place {
  const port = external.port === "" ? (external.protocol === "https:" ? 443 : 80) : Number(external.port)
  return { host: external.hostname.replace(/^\[(.*)\]$/, "$1"), port }
}
