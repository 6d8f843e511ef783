// The commands of proxy-out beside its main one, in the order of --help: a file for each, and one line here.
import type { AnyCommand } from "@restante/protocol"
import type { EdgeSurroundings } from "../surroundings.ts"
import { configCheck } from "./config-check.ts"
import { doctorCommand } from "./doctor.ts"
import { tokenCreate } from "./token-create.ts"
import { tokenList } from "./token-list.ts"
import { tokenRevoke } from "./token-revoke.ts"
import { tunnelForget } from "./tunnel-forget.ts"
import { tunnelList } from "./tunnel-list.ts"

export const commands: readonly AnyCommand<EdgeSurroundings>[] = [
  tokenCreate,
  tokenList,
  tokenRevoke,
  tunnelList,
  tunnelForget,
  configCheck,
  doctorCommand,
]
