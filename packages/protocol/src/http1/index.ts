// The HTTP/1 codec: strict, incremental, without I/O. RFC 9112 lives here and nowhere else.

export { chunkHeader, fieldLine, isFieldName, isFieldValue, lastChunk } from "./writer.ts"
export {
  Http1Error,
  type Http1ErrorCode,
  http1ErrorTable,
  type Http1ErrorTraits,
  type UpstreamFault,
} from "./errors.ts"
export { connectionFields, forbiddenTrailers, guardedFields } from "./field-rules.ts"
export { FieldBlock, parseFieldBlock } from "./fields.ts"
export { endToEndFields, endToEndTrailers } from "./forward.ts"
export type { ChunkedBody, CloseBody, LengthBody, NoBody } from "./framing.ts"
export { hasListMember } from "./framing.ts"
export { defaultHttp1Limits, type Http1Limits } from "./limits.ts"
export { isIdempotent, isSafe } from "./methods.ts"
export { originTarget, parseRequestHead, type RequestHead } from "./request-head.ts"
export { type MessageSink, RequestReader } from "./request-reader.ts"
export { parseResponseHead, type ResponseHead } from "./response-head.ts"
export { ResponseReader, type ResponseSink } from "./response-reader.ts"
