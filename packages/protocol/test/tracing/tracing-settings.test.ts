// What the OTEL_ variables ask for.
import { expect, test } from "vitest"
import { tracingSettings } from "../../src/tracing/index.ts"

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318/" }

test.each([
  {},
  { OTEL_SERVICE_NAME: "x" },
  { ...endpoint, OTEL_SDK_DISABLED: "true" },
  { ...endpoint, OTEL_TRACES_EXPORTER: "none" },
  { OTEL_EXPORTER_OTLP_ENDPOINT: "" },
])("%j asks for no traces", (environment) => {
  expect(tracingSettings(environment, "proxy-out")).toBeUndefined()
})

test("an endpoint alone is enough", () => {
  const settings = tracingSettings(endpoint, "proxy-out")
  expect(settings).toEqual({
    url: new URL("http://collector:4318/v1/traces"),
    headers: {},
    sampler: "parentbased_always_on",
    ratio: 1,
    resource: { "service.name": "proxy-out" },
  })
})

test("an endpoint for traces is taken as it is, and wins", () => {
  const settings = tracingSettings(
    { ...endpoint, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://other/x" },
    "proxy-out",
  )
  expect(settings?.url.href).toBe("https://other/x")
})

test("without an endpoint a collector on this machine is meant", () => {
  expect(tracingSettings({ OTEL_TRACES_EXPORTER: "otlp" }, "proxy-in")?.url.href).toBe(
    "http://localhost:4318/v1/traces",
  )
})

test("headers, resource, name and sampler are read", () => {
  const settings = tracingSettings(
    {
      ...endpoint,
      OTEL_EXPORTER_OTLP_HEADERS: "api-key=a%20b, x=y=z",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment=test,service.name=unused",
      OTEL_SERVICE_NAME: "my-edge",
      OTEL_TRACES_SAMPLER: "traceidratio",
      OTEL_TRACES_SAMPLER_ARG: "0.1",
    },
    "proxy-out",
  )
  expect(settings).toMatchObject({
    headers: { "api-key": "a b", x: "y=z" },
    sampler: "traceidratio",
    ratio: 0.1,
    resource: { "service.name": "my-edge", "deployment.environment": "test" },
  })
})

test.each([
  [{ ...endpoint, OTEL_TRACES_EXPORTER: "zipkin" }, "OTEL_TRACES_EXPORTER: Only otlp and none"],
  [
    { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
    "OTEL_EXPORTER_OTLP_PROTOCOL: Traces are sent as http/json",
  ],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" }, "OTEL_EXPORTER_OTLP_ENDPOINT: This is not a URL."],
  [
    { ...endpoint, OTEL_TRACES_SAMPLER: "always" },
    "OTEL_TRACES_SAMPLER: There is no sampler of this name here.",
  ],
  [{ ...endpoint, OTEL_TRACES_SAMPLER_ARG: "2" }, "OTEL_TRACES_SAMPLER_ARG: This is not a share"],
  [{ ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: "s3cret" }, "OTEL_EXPORTER_OTLP_HEADERS: Write NAME=VALUE"],
])("%j is refused with what to do", (environment, message) => {
  expect(() => tracingSettings(environment, "proxy-out")).toThrow(message)
})
