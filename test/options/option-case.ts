// One option as an operator may get it right or wrong. Each option of both programs has exactly one such line.

export interface OptionCase {
  /** As it is typed. */
  readonly good: string
  /** What the program makes of it. */
  readonly reads: unknown
  readonly bad: string
  /** What the one line says about the bad value. */
  readonly says: RegExp
  /** The bad value is the name of something that only a start looks at; reading and schema take it. */
  readonly atStart?: true
  /** Other options that this one needs. */
  readonly with?: Readonly<Record<string, string>>
}

/** For an option that is on or off. */
export const onOrOff: OptionCase = {
  good: "true",
  reads: true,
  bad: "maybe",
  says: /takes no value|neither true nor false/,
}

/** Short for `atStart: true`. */
export const atStart = true
