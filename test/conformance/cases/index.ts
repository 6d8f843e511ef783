// All conformance cases.
import type { Case } from "../case.ts"
import { bodyCases } from "./bodies.ts"
import { connectionCases } from "./connections.ts"
import { errorCases } from "./errors.ts"
import { fieldCases } from "./fields.ts"
import { forwardingCases } from "./forwarding.ts"
import { framingCases } from "./framing.ts"
import { grammarCases } from "./grammar.ts"
import { hopByHopCases } from "./hop-by-hop.ts"
import { informationalAndTrailerCases } from "./informational.ts"
import { laterCases } from "./later.ts"
import { limitCases } from "./limits.ts"
import { targetCases } from "./targets.ts"
import { upgradeCases } from "./upgrade.ts"

export const allCases: readonly Case[] = [
  ...hopByHopCases,
  ...framingCases,
  ...grammarCases,
  ...targetCases,
  ...fieldCases,
  ...informationalAndTrailerCases,
  ...bodyCases,
  ...connectionCases,
  ...forwardingCases,
  ...limitCases,
  ...errorCases,
  ...upgradeCases,
  ...laterCases,
]
