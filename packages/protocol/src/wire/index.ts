// The wire: messages, frames, their limits and errors. Normative text: docs/protocol.md.
export { WireError, wireErrorTable } from "./errors.ts"
export type { WireErrorCode, WireErrorTraits } from "./errors.ts"
export { readFrames } from "./frame-reader.ts"
export { readSegmentedFrames } from "./segmented-frames.ts"
export { FrameWriter } from "./frame-writer.ts"
export type { FrameWriterOptions } from "./frame-writer.ts"
export {
  firstExtensionType,
  frameHeaderBytes,
  frameType,
  headFlags,
  openFlags,
  openKind,
  pieceUnitBytes,
} from "./frames.ts"
export type { FrameSink, MessagePiece, OpenKind } from "./frames.ts"
export { crossedHeadLimits, wireLimits } from "./limits.ts"
export type { WireLimits } from "./limits.ts"
export { MessageDecoder } from "./message-decoder.ts"
export type { Message, MessageDecoderOptions } from "./message-decoder.ts"
export {
  checkPreamble,
  messageBytesAt,
  messageAck,
  messageHeaderBytes,
  messageNumber,
  messagesMediaType,
  preamble,
  preambleBytes,
  protocolVersion,
  putMessageAck,
  putMessageHeader,
  totalBytes,
  websocketProtocol,
} from "./message.ts"
export { OpenFrame } from "./open-frame.ts"
export type { OpenFields, Scheme } from "./open-frame.ts"
export { notBegunCodes, resetCodeFromNumber, resetCodes } from "./reset-codes.ts"
export type { ResetCode } from "./reset-codes.ts"
