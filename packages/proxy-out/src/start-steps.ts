// What a start looks at beyond single values, each by itself, so that `config check` can say all that is wrong. Nothing is made or changed.
import { givenToken, type OptionValues } from "@restante/protocol"
import { readGivenFile } from "./given-file.ts"
import type { Logger } from "pino"
import { adminSettings } from "./admin/admin-settings.ts"
import type { EdgeTable } from "./cli-options.ts"
import { systemClock } from "./clock.ts"
import { readTokens } from "./credentials/tokens-file.ts"
import { PageFile } from "./exchange/page-file.ts"
import { tlsSettings } from "./ingress/tls/tls-settings.ts"

/** Each raises `CommandError`. */
export function edgeStartSteps(log: Logger): readonly ((values: OptionValues<EdgeTable>) => unknown)[] {
  return [
    (values) => tlsSettings(values, log),
    ({ "token-file": file }) => givenToken({ file, environment: {}, readText: readGivenFile }),
    ({ "tokens-file": file }) => file !== undefined && readTokens(file),
    adminSettings,
    ({ "error-page": path }) =>
      path !== undefined && PageFile.open({ path, log, now: () => systemClock.now() }),
  ]
}
