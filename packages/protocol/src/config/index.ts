// What both programs' command lines have in common, without I/O: reading options and tokens, and the life of a program.
export { collectorFlags } from "./collector.ts"
export {
  CommandError,
  commandErrorTable,
  shown,
  systemCode,
  systemReason,
  type CommandErrorCode,
} from "./command-error.ts"
export { readCommandLine, type ArgumentParser, type CommandLine, type ParserOption } from "./command-line.ts"
export { formatDurationMs, parseDurationMs, type DurationRange } from "./durations.ts"
export { type Example, type Program } from "./help.ts"
export { logDestination, logFormats, type LogFormat } from "./log-line.ts"
export { didYouMean, nearestName } from "./nearest.ts"
export {
  logLevels,
  readChoice,
  readCount,
  type LogLevel,
  type Option,
  type OptionTable,
  type OptionValues,
} from "./options.ts"
export {
  exitCodeOf,
  listenProblem,
  serveUntil,
  stopSignal,
  textOutput,
  type SignalSource,
  type Surroundings,
  type TextOutput,
} from "./program.ts"
export { Secret } from "./secret.ts"
export { givenToken, parseToken, weakTokenLength, type TokenSources } from "./token.ts"
