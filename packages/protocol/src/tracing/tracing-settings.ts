// What the OTEL_ variables of the environment say, as far as it concerns traces.
import { CommandError, didYouMean } from "../config/index.ts"
import { samplerNames } from "./sampler.ts"
import type { SamplerName } from "./sampler.ts"

export interface TracingSettings {
  /** Where batches of spans are posted. */
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly sampler: SamplerName
  readonly ratio: number
  /** Attributes of the program itself; `service.name` always. */
  readonly resource: Readonly<Record<string, string>>
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Undefined: nobody asked for traces. Asking is an endpoint (OTEL_EXPORTER_OTLP_ENDPOINT, …_TRACES_ENDPOINT) or OTEL_TRACES_EXPORTER=otlp.
 * Raises `CommandError("usage")` for what cannot be done; never shows a header, which may be a secret.
 */
export function tracingSettings(environment: Environment, program: string): TracingSettings | undefined {
  const read = (name: string): string | undefined => environment[name]?.trim() || undefined
  const exporter = read("OTEL_TRACES_EXPORTER")
  const endpoint = endpointOf(read)
  if (read("OTEL_SDK_DISABLED")?.toLowerCase() === "true" || exporter === "none") return undefined
  if (exporter === undefined && endpoint === undefined) return undefined
  if (exporter !== undefined && exporter !== "otlp")
    throw problem("OTEL_TRACES_EXPORTER", "Only otlp and none are known here")
  const protocol = read("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") ?? read("OTEL_EXPORTER_OTLP_PROTOCOL")
  if (protocol !== undefined && protocol !== "http/json")
    throw problem(
      "OTEL_EXPORTER_OTLP_PROTOCOL",
      "Traces are sent as http/json here, which every collector takes at its OTLP/HTTP port",
    )
  return {
    url: endpoint ?? new URL("http://localhost:4318/v1/traces"),
    headers: pairs(
      read("OTEL_EXPORTER_OTLP_TRACES_HEADERS") ?? read("OTEL_EXPORTER_OTLP_HEADERS"),
      "OTEL_EXPORTER_OTLP_HEADERS",
    ),
    ...samplerOf(read),
    resource: {
      "service.name": program,
      ...pairs(read("OTEL_RESOURCE_ATTRIBUTES"), "OTEL_RESOURCE_ATTRIBUTES"),
      ...(read("OTEL_SERVICE_NAME") === undefined ? {} : { "service.name": read("OTEL_SERVICE_NAME") ?? "" }),
    },
  }
}

type Read = (name: string) => string | undefined

function endpointOf(read: Read): URL | undefined {
  const whole = read("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
  if (whole !== undefined) return urlOf("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", whole)
  const base = read("OTEL_EXPORTER_OTLP_ENDPOINT")
  if (base === undefined) return undefined
  return urlOf("OTEL_EXPORTER_OTLP_ENDPOINT", `${base.replace(/\/+$/, "")}/v1/traces`)
}

function urlOf(name: string, text: string): URL {
  const url = URL.parse(text)
  if (url !== null && (url.protocol === "http:" || url.protocol === "https:")) return url
  throw problem(name, "This is not a URL. Write http://HOST:4318 or https://HOST")
}

function samplerOf(read: Read): { readonly sampler: SamplerName; readonly ratio: number } {
  const name = read("OTEL_TRACES_SAMPLER") ?? "parentbased_always_on"
  const sampler = samplerNames.find((one) => one === name)
  if (sampler === undefined)
    throw problem(
      "OTEL_TRACES_SAMPLER",
      `There is no sampler of this name here.${didYouMean(name, samplerNames)} There are ${samplerNames.join(", ")}`,
    )
  const ratio = Number(read("OTEL_TRACES_SAMPLER_ARG") ?? "1")
  if (!(ratio >= 0 && ratio <= 1))
    throw problem("OTEL_TRACES_SAMPLER_ARG", "This is not a share of the traces. Write a number from 0 to 1")
  return { sampler, ratio }
}

/** `a=b,c=d%20e`, as both variables are written. */
function pairs(text: string | undefined, name: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const item of (text ?? "").split(",").filter((part) => part.trim() !== "")) {
    const at = item.indexOf("=")
    if (at < 1) throw problem(name, "Write NAME=VALUE, with commas between them")
    try {
      found[item.slice(0, at).trim()] = decodeURIComponent(item.slice(at + 1).trim())
    } catch {
      throw problem(name, "A % in a value is written %25")
    }
  }
  return found
}

function problem(name: string, text: string): CommandError {
  return new CommandError("usage", `${name}: ${text}.`)
}
