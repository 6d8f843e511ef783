// The dashboard and the alert rules name what the edge really says.
import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { parse } from "yaml"
import { fetchWhole } from "../support/client.ts"
import { startPair } from "../support/pair.ts"
import { httpUpstream } from "../support/upstream.ts"

function text(path: string): string {
  return readFileSync(new URL(`../../ops/${path}`, import.meta.url), "utf8")
}

interface Dashboard {
  readonly panels: readonly {
    readonly title: string
    readonly targets: readonly { readonly expr: string }[]
  }[]
  readonly templating: { readonly list: readonly { readonly query: string | { readonly query: string } }[] }
}

const dashboard = JSON.parse(text("grafana/restante.json")) as Dashboard
const rules = parse(text("prometheus/restante.rules.yml")) as {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly alert: string
      readonly expr: string
      readonly annotations: { summary: string }
    }[]
  }[]
}
const alerts = rules.groups.flatMap((group) => group.rules)

function metricsIn(expression: string): readonly string[] {
  return expression.match(/\b(?:restante|process|nodejs)_\w+/g) ?? []
}

test("every metric of the dashboard and of the alerts is in a real scrape", async () => {
  await using upstream = await httpUpstream((_request, response) => response.end("ok"))
  await using pair = await startPair({ server: upstream.url })
  await fetchWhole(`${pair.url}/`)
  const scraped = new Set(
    [...(await fetchWhole(`${pair.url}/.restante/metrics`)).text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(
      ([, name = "", type]) =>
        type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  )
  const variables = dashboard.templating.list.map(({ query }) =>
    typeof query === "string" ? query : query.query,
  )
  const expressions = [
    ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ...variables,
    ...alerts.map(({ expr }) => expr),
  ]
  const used = new Set(expressions.flatMap(metricsIn))
  expect(used.size).toBeGreaterThan(20)
  expect([...used].filter((name) => !scraped.has(name))).toEqual([])
})

test("every panel asks for something, and has a title of its own", () => {
  expect(dashboard.panels.filter(({ targets }) => targets.length === 0)).toEqual([])
  const titles = dashboard.panels.map(({ title }) => title)
  expect(new Set(titles).size).toBe(titles.length)
})

test("every alert has an expression and a sentence", () => {
  expect(alerts.length).toBeGreaterThan(5)
  expect(alerts.filter(({ alert, expr, annotations }) => !(alert && expr && annotations.summary))).toEqual([])
})

test("Prometheus is told the path and the token's file", () => {
  expect(parse(text("prometheus/prometheus.yml"))).toMatchObject({
    rule_files: ["restante.rules.yml"],
    scrape_configs: [{ metrics_path: "/.restante/metrics", authorization: { type: "Bearer" } }],
  })
})
