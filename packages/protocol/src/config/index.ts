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
export type { ArgumentParser } from "./arguments.ts"
export { readCommandLine, type CommandLine, type RunLine } from "./command-line.ts"
export { command, type AnyCommand, type Command, type CommandCall, type Example } from "./commands.ts"
export { checkConfigFile } from "./check-config.ts"
export type { Configuration, Sources } from "./configuration.ts"
export type { FileReader } from "./config-file.ts"
export type { YamlParser } from "./yaml-document.ts"
export { formatByteSize, parseByteSize, type ByteRange } from "./byte-sizes.ts"
export { formatDurationMs, parseDurationMs, type DurationRange } from "./durations.ts"
export type { Program } from "./help.ts"
export { configSchema, type JsonSchema } from "./json-schema.ts"
export { logDestination, logFormats, type LogFormat } from "./log-line.ts"
export { didYouMean, nearestName } from "./nearest.ts"
export {
  anyText,
  byteSize,
  choice,
  configFile,
  duration,
  logLevels,
  onOrOff,
  readChoice,
  readCount,
  wholeNumber,
  type Kind,
  type LogLevel,
} from "./option-kinds.ts"
export type { Option, OptionTable, OptionValues, ValueSchema } from "./options.ts"
export {
  exitCodeOf,
  listenProblem,
  reloadSignal,
  serveUntil,
  stopSignal,
  textOutput,
  type SignalSource,
  type Surroundings,
  type TextOutput,
} from "./program.ts"
export { givenFileText, type GivenFiles } from "./given-file.ts"
export { reloadWhenTold } from "./reload.ts"
export { Secret } from "./secret.ts"
export { listItems, variableOf, type Source } from "./settings.ts"
export { givenToken, parseToken, weakTokenLength, type TokenSources } from "./token.ts"
