export { parsePortHead, portHeadText, type PortEnd, type PortHead } from "./port-head.ts"
export {
  maxPorts,
  type OpenPort,
  type PortKind,
  portKinds,
  portNamePattern,
  type PortRequest,
  streamKind,
} from "./port-request.ts"
