// What both ends know of connections that switch to another protocol (RFC 9110 section 7.8).
export { Departure } from "./departure.ts"
export { isWebSocket, switchesTo, upgradeLines, upgradeOffer } from "./offer.ts"
