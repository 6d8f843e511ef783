// The commands of proxy-out beside its main one, in the order of --help: a file for each, and one line here.
import type { AnyCommand } from "@restante/protocol"
import type { EdgeSurroundings } from "../surroundings.ts"

export const commands: readonly AnyCommand<EdgeSurroundings>[] = []
