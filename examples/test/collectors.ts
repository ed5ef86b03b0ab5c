/**
 * The real receivers of telemetry: Prometheus from the machine's packages, and an OpenTelemetry collector of the Go modules that
 * `examples/collector` names, built beforehand. Where one is missing its test is skipped with a line that says so; where
 * `NEED_COLLECTORS` is set it fails.
 */
import { Effect, FileSystem, Schedule } from "effect"
import { ChildProcess } from "effect/process"
import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"

const needed = process.env["NEED_COLLECTORS"] !== undefined

const runs = (command: string, ...args: ReadonlyArray<string>): boolean => {
  try {
    execFileSync(command, args, { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}

const missing = (what: string, how: string): false => {
  if (needed) throw new Error(`${what} is missing, and NEED_COLLECTORS asks for it: ${how}`)
  console.warn(`${what} is missing, its test is skipped: ${how}`)
  return false
}

/** Whether Prometheus is here. */
export const hasPrometheus =
  runs("prometheus", "--version") || missing("Prometheus", "apt-get install prometheus installs it")

const collector = join(import.meta.dirname, "../.cache/collector")

/** Whether the collector is here. */
export const hasCollector =
  existsSync(collector) ||
  missing("The OpenTelemetry collector", "with Go, `npx -y pnpm@12.21.0 collector` builds it in some minutes")

/** A port that is free now. */
export const freePort = Effect.callback<number>((resume) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address() as { port: number }
    server.close(() => resume(Effect.succeed(port)))
  })
})

/** Asks until there is an answer that passes the assertions, for half a minute, then fails with theirs: receivers are behind what was sent. */
export const holds = <A, E, R>(ask: Effect.Effect<A, E, R>, assertions: (answer: A) => void) =>
  ask.pipe(
    Effect.flatMap((answer) => Effect.try({ try: () => assertions(answer), catch: (error) => error })),
    Effect.retry({ schedule: Schedule.spaced("100 millis"), times: 300 })
  )

const start = (command: string, ...args: ReadonlyArray<string>) =>
  ChildProcess.make(command, args, { stdout: "ignore", stderr: "ignore", forceKillAfter: "5 seconds" })

/** Prometheus, reading the page at an address each 200 ms; `query` asks it. */
export const startPrometheus = Effect.fnUntraced(function* (page: string) {
  const files = yield* FileSystem.FileSystem
  const folder = yield* files.makeTempDirectoryScoped()
  const port = yield* freePort
  yield* files.writeFileString(
    join(folder, "prometheus.yml"),
    `global: { scrape_interval: 200ms, scrape_timeout: 200ms }
scrape_configs: [{ job_name: echo, static_configs: [{ targets: ["${page}"] }] }]
`
  )
  yield* start(
    "prometheus",
    `--config.file=${folder}/prometheus.yml`,
    `--storage.tsdb.path=${folder}/data`,
    `--web.listen-address=127.0.0.1:${port}`
  )
  const query = (expression: string) =>
    Effect.tryPromise(async (): Promise<ReadonlyArray<PrometheusSample>> => {
      const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`
      const answer = (await (await fetch(url)).json()) as {
        readonly data: { readonly result: Array<PrometheusSample> }
      }
      return answer.data.result
    })
  return { query }
})

/** One series with its last value. */
export interface PrometheusSample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [at: number, value: string]
}

/** The collector; `received` gives what came so far for a signal, one object for each request. */
export const startCollector = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const folder = yield* files.makeTempDirectoryScoped()
  const port = yield* freePort
  const signals = ["traces", "metrics", "logs"]
  yield* files.writeFileString(
    join(folder, "collector.yaml"),
    JSON.stringify({
      receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
      exporters: Object.fromEntries(
        signals.map((signal) => [`file/${signal}`, { path: join(folder, `${signal}.json`), flush_interval: "100ms" }])
      ),
      service: {
        telemetry: { metrics: { level: "none" } },
        pipelines: Object.fromEntries(
          signals.map((signal) => [signal, { receivers: ["otlp"], exporters: [`file/${signal}`] }])
        )
      }
    })
  )
  yield* start(collector, "--config", join(folder, "collector.yaml"))
  yield* holds(
    Effect.tryPromise(() => fetch(`http://127.0.0.1:${port}/`)),
    () => {}
  )
  const received = (signal: "traces" | "metrics" | "logs") =>
    Effect.map(files.readFileString(join(folder, `${signal}.json`)), (text): ReadonlyArray<any> =>
      text
        .split("\n")
        .slice(0, -1) // nothing, or a line that is not written to its end
        .map((line) => JSON.parse(line))
    )
  return { url: `http://127.0.0.1:${port}`, received }
})

interface Attribute {
  readonly key: string
  readonly value: Readonly<Record<string, string>>
}

const record = (attributes: ReadonlyArray<Attribute> = []): Readonly<Record<string, string>> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, String(Object.values(value)[0])]))

/** The parts that came for each process, whose name is that of its service. */
const parts = (requests: ReadonlyArray<any>, resources: string, scopes: string, items: string): Array<[string, any]> =>
  requests.flatMap((request) =>
    request[resources].flatMap((resource: any) => {
      const process = record(resource.resource.attributes)["service.name"]!
      return resource[scopes].flatMap((scope: any) => scope[items].map((item: any) => [process, item]))
    })
  )

const kinds = ["unspecified", "internal", "server", "client"]

/** The spans of OTLP in the words of a test. */
export const spansOf = (requests: ReadonlyArray<any>) =>
  parts(requests, "resourceSpans", "scopeSpans", "spans").map(([process, span]) => {
    const attributes = record(span.attributes)
    return {
      process,
      traceId: span.traceId as string,
      spanId: span.spanId as string,
      parentSpanId: span.parentSpanId as string | undefined,
      name: span.name as string,
      kind: kinds[span.kind]!,
      attributes,
      error: span.status.code === 2 ? attributes["error.type"]! : ""
    }
  })

/** The last value of each series: the number of a counter or gauge, how many a histogram has. */
export const metricsOf = (requests: ReadonlyArray<any>) =>
  parts(requests, "resourceMetrics", "scopeMetrics", "metrics")
    .flatMap(([process, metric]) =>
      (metric.sum ?? metric.gauge ?? metric.histogram).dataPoints.map((point: any) => ({
        process,
        name: metric.name as string,
        attributes: record(point.attributes),
        value: Number(point.count ?? point.asInt ?? point.asDouble)
      }))
    )
    .toReversed() as ReadonlyArray<{
    readonly process: string
    readonly name: string
    readonly attributes: Readonly<Record<string, string>>
    readonly value: number
  }>
