// A JSON Schema (2020-12) of a program's configuration file, for editors: made from the same table that the program reads it with.
import { tunnelNamePattern } from "../routes/route.ts"
import type { Option, OptionTable, ValueSchema } from "./options.ts"

/** As much of JSON Schema as is used here; plain JSON. */
export type JsonSchema = Readonly<Record<string, unknown>>

/**
 * Refuses what the program refuses as far as a schema can tell: ranges of durations and the like, and files that are not there, only the program sees.
 * `name` is the program's.
 */
export function configSchema(name: string, table: OptionTable): JsonSchema {
  const names = Object.keys(table).filter((option) => option !== "config")
  const options = Object.fromEntries(names.map((option) => [option, optionSchema(table[option]!)]))
  const perTunnel = names.filter((option) => table[option]?.perTunnel === true)
  const head = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: `Configuration file of ${name}`,
    description: `The options of ${name} --help without the dashes; ${name} config check FILE says more than this schema can.`,
    type: "object",
    additionalProperties: false,
  }
  if (perTunnel.length === 0) return { ...head, properties: options }
  return {
    ...head,
    not: { required: ["tunnel", "tunnels"] },
    properties: { ...options, tunnels: tunnelsSchema(perTunnel) },
  }
}

function tunnelsSchema(perTunnel: readonly string[]): JsonSchema {
  return {
    description: "several tunnels: each one's name, with the options that are its own",
    type: "object",
    minProperties: 1,
    propertyNames: { pattern: tunnelNamePattern.source },
    additionalProperties: {
      type: ["object", "null"],
      additionalProperties: false,
      properties: Object.fromEntries(perTunnel.map((name) => [name, { $ref: `#/properties/${name}` }])),
    },
  }
}

function optionSchema(option: Option<unknown>): JsonSchema {
  const { help, list, flag, schema = { type: "string" } } = option
  const described = { description: help, ...defaultOf(option, schema) }
  if (list === true) return { ...described, anyOf: [schema, { type: "array", items: schema }] }
  return { ...described, ...(flag === true ? { type: "boolean" } : schema) }
}

function defaultOf(
  { default: text, flag, list }: Option<unknown>,
  schema: ValueSchema,
): { readonly default?: unknown } {
  if (flag === true) return { default: text === "true" }
  if (text === undefined || list === true) return {}
  return { default: schema.type === "integer" ? Number(text) : text }
}
