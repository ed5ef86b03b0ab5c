/**
 * A server that is seen: `node examples/src/observability/server.ts --port 8888 --metrics-port 9464`. Prometheus reads
 * `/metrics` of the second port; with `--otlp` spans, metrics and logs go to an OpenTelemetry collector too.
 */
import { NodeHttpServer, NodeRuntime, NodeServices } from "@effect/platform-node"
import { Server } from "@millrace/rpc"
import { NodeTransport } from "@millrace/transport/node"
import { Console, Effect, Layer } from "effect"
import { Command, Flag } from "effect/cli"
import { HttpRouter, HttpServer } from "effect/http"
import { PrometheusMetrics } from "effect/observability"
import { createServer } from "node:http"
import { announce, host, port } from "../program.ts"
import { TestService } from "../thrift-streaming/api.ts"
import * as Handlers from "../thrift-streaming/handlers.ts"
import * as Telemetry from "./telemetry.ts"

const metricsPort = Flag.Int("metrics-port").pipe(
  Flag.withDefault(9464),
  Flag.withDescription("the port of the page that Prometheus reads, 0 for any free one")
)

const metricsPage = (host: string, port: number) =>
  HttpRouter.serve(PrometheusMetrics.layerHttp(), { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provideMerge(NodeHttpServer.layer(createServer, { host, port }))
  )

const announceAll = Effect.andThen(
  HttpServer.addressFormattedWith((address) => Console.log(`metrics on ${address}/metrics`)),
  announce
)

Command.make("server", { host, port, metricsPort, otlp: Telemetry.otlp }, ({ host, port, metricsPort, otlp }) =>
  Layer.effectDiscard(announceAll).pipe(
    Layer.provide([
      Server.layer([TestService]).pipe(
        Layer.provide([Handlers.layer("half"), NodeTransport.layerServer({ host, port })])
      ),
      metricsPage(host, metricsPort)
    ]),
    Layer.provide(Telemetry.layer("echo", otlp)),
    Layer.launch
  )
).pipe(Command.run({ version: "0.1.0" }), Effect.provide(NodeServices.layer), NodeRuntime.runMain)
