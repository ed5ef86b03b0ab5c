/**
 * All that both programs need to be seen: spans and metrics of every call, and where they go.
 */
import { Telemetry } from "@millrace/rpc"
import { Layer, Option } from "effect"
import { Flag } from "effect/cli"
import { FetchHttpClient } from "effect/http"
import { Otlp } from "effect/observability"

export const otlp = Flag.String("otlp").pipe(
  Flag.withDescription(
    "the address of an OpenTelemetry collector, as http://127.0.0.1:4318; without it nothing is sent"
  ),
  Flag.optional
)

/** The names of OpenTelemetry, and beside them those of Kitex's Prometheus monitor. */
export const layer = (serviceName: string, otlp: Option.Option<string>) =>
  Telemetry.layer({ naming: ["otel", "prometheus"], service: { name: serviceName } }).pipe(
    Layer.provideMerge(
      Option.match(otlp, {
        onNone: () => Layer.empty,
        onSome: (baseUrl) =>
          Otlp.layerJson({ baseUrl, resource: { serviceName } }).pipe(Layer.provide(FetchHttpClient.layer))
      })
    )
  )
