export { datagramHeaderBytes, DatagramReader, framedDatagram, maxDatagramBytes } from "./datagrams.ts"
export { parsePortHead, portHeadText, type PortEnd, type PortHead } from "./port-head.ts"
export {
  maxPorts,
  type OpenPort,
  type PortKind,
  portKinds,
  portNamePattern,
  type PortRequest,
} from "./port-request.ts"
