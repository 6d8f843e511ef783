// Bounds on everything an HTTP/1 peer can make us keep before its message is complete.

export interface Http1Limits {
  /** Bytes of one head: start line, field lines and the empty line. More is 431 (RFC 6585 section 5). Default 64 KiB. */
  readonly maxHeadBytes: number
  /** Bytes of a request target. More is 414 (RFC 9110 section 15.5.15). Default 16 KiB. */
  readonly maxTargetBytes: number
  /** Field lines of one head, and again of one trailer section. Default 256. */
  readonly maxFieldLines: number
  /** Bytes of one trailer section with its empty line. Default 16 KiB. */
  readonly maxTrailerBytes: number
  /** Bytes of one chunk-size line with its extensions and line end (RFC 9112 section 7.1.1). Default 4 KiB. */
  readonly maxChunkLineBytes: number
  /** Bytes of all chunk extensions of one message together (RFC 9112 section 7.1.1). Default 16 KiB. */
  readonly maxChunkExtensionBytes: number
  /** Interim (1xx) heads before one final head. Default 32. */
  readonly maxInformational: number
}

export const defaultHttp1Limits: Http1Limits = {
  maxHeadBytes: 64 * 1024,
  maxTargetBytes: 16 * 1024,
  maxFieldLines: 256,
  maxTrailerBytes: 16 * 1024,
  maxChunkLineBytes: 4 * 1024,
  maxChunkExtensionBytes: 16 * 1024,
  maxInformational: 32,
}
