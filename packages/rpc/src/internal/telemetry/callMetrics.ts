/**
 * How long calls take and how they end, under the names of one convention. A handle is kept for each combination of labels:
 * a call costs a few look-ups and one update.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import type { RpcFinish } from "../../RpcTracer.ts"
import { isStream, type RpcInfo } from "../../RpcInfo.ts"
import { calleeOf, kitexProtocol, type MethodNames, other, PerLabel, PerMethod } from "./methods.ts"
import type { DirectTracer } from "../tracing.ts"
import { type Failure, failureOf } from "./outcome.ts"
import { type Sizes, sizes } from "./sizes.ts"

// Addresses come and go with instances, names of callers are what anybody says.
const manyAddresses = 256
const manyCallers = 128
// Those of a client are its options.
const manyCallees = 128
const manyProtocols = 8

const seconds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
const millis = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000]
const counts = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000, 100_000]
const micros = [5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000]

type Histogram = Metric.Histogram<number>
type Attributes = Readonly<Record<string, string>>

/** A host and its port; the port is undefined where an address has none. @internal */
export const hostAndPort = (address: string): readonly [host: string, port: string | undefined] => {
  const at = address.lastIndexOf(":")
  if (at < 0 || address.startsWith("unix:")) return [address, undefined]
  const host = address.slice(0, at)
  return [host.startsWith("[") ? host.slice(1, -1) : host, address.slice(at + 1)]
}

// --- OpenTelemetry -------------------------------------------------------------------------------------------------------

/** The conventions of OpenTelemetry for RPC, as they are now. @internal */
export const otel = (context: Context.Context<never>): DirectTracer => {
  const durations = new PerMethod(({ fullName, side }) => {
    const name = `rpc.${side}.call.duration`
    const description = `Duration of calls on the ${side}`
    const common = { unit: "s", "rpc.system.name": "kitex", "rpc.method": fullName }
    return new PerLabel(
      manyAddresses,
      (address) =>
        new Outcomes((failure) => {
          const [host, port] = hostAndPort(address)
          const attributes: Attributes = {
            ...common,
            ...(host !== "" && { "server.address": host }),
            ...(port !== undefined && { "server.port": port }),
            "rpc.response.status_code": String(failure?.code ?? 0),
            ...(failure !== undefined && { "error.type": failure.type })
          }
          return Metric.histogram(name, { description, attributes, boundaries: seconds })
        }),
      {
        now: millisOf(context),
        remove: (outcomes) => outcomes.forEach((duration) => Metric.removeUnsafe(duration, context))
      }
    )
  })
  return {
    end: (event) => {
      const { info } = event
      const address = info.side === "client" ? info.address : ""
      const duration = durations.get(info).get(address).get(failureOf(event))
      duration.updateUnsafe(event.durationMillis / 1000, context)
    }
  }
}

const millisOf = (context: Context.Context<never>): (() => number) => {
  const clock = Context.get(context, Clock.Clock)
  return () => clock.currentTimeMillisUnsafe()
}

/** One handle for each way to end. */
class Outcomes<A> {
  readonly #make: (failure: Failure | undefined) => A
  #success: A | undefined
  readonly #failures = new Map<string, A>()

  constructor(make: (failure: Failure | undefined) => A) {
    this.#make = make
  }

  forEach(run: (handle: A) => void): void {
    if (this.#success !== undefined) run(this.#success)
    for (const handle of this.#failures.values()) run(handle)
  }

  get(failure: Failure | undefined): A {
    if (failure === undefined) return (this.#success ??= this.#make(undefined))
    // The number of a status is what the peer says.
    const known = Number.isInteger(failure.code) && failure.code >= 0 && failure.code <= 20
    const code = known || this.#failures.size < 64 ? failure.code : -1
    const key = `${code} ${failure.type}`
    let made = this.#failures.get(key)
    if (made === undefined) this.#failures.set(key, (made = this.#make({ code, type: failure.type })))
    return made
  }
}

// --- Kitex's OpenTelemetry suite -------------------------------------------------------------------------------------------

/** The names of Kitex's OpenTelemetry suite, also those that it declares and never records. @internal */
export const kitex = (context: Context.Context<never>): DirectTracer => {
  const methods = new PerMethod(
    (names) => new PerLabel(manyCallees, (callee) => new KitexMethod(names, callee, context))
  )
  const metrics = (info: RpcInfo): KitexMethod => methods.get(info).get(calleeOf(info))
  return {
    streamSend: (event) => metrics(event.info).sentSize.add(event.count, event.bytes),
    streamRecv: (event) => metrics(event.info).receivedSize.add(event.count, event.bytes),
    end: (event) => metrics(event.info).finished(event, context)
  }
}

class KitexMethod {
  readonly #durations: PerLabel<Outcomes<Histogram>>
  readonly sentSize: Sizes
  readonly receivedSize: Sizes
  readonly #sentCount: Histogram
  readonly #receivedCount: Histogram

  constructor({ method, side }: MethodNames, callee: string, context: Context.Context<never>) {
    const attributes = { "rpc.system": "kitex", "rpc.service": callee, "rpc.method": method }
    // Milliseconds: the suite names no unit either.
    this.#durations = new PerLabel(
      manyProtocols,
      (protocol) =>
        new Outcomes((failure) =>
          Metric.histogram(`rpc.${side}.duration`, {
            description: `Duration of calls on the ${side}, in milliseconds`,
            attributes: {
              ...attributes,
              "request.protocol": protocol,
              "status.code": failure === undefined ? "Unset" : "Error"
            },
            boundaries: millis
          })
        )
    )
    const size = (name: string): Sizes =>
      sizes(context, `rpc.${side}.${name}.size`, `Size of ${name} messages`, attributes)
    const count = (name: string): Histogram =>
      Metric.histogram(`rpc.${side}.${name}s_per_rpc`, {
        description: `Number of ${name} messages of a call`,
        attributes: { unit: "{count}", ...attributes },
        boundaries: counts
      })
    const [sent, received] = side === "client" ? ["request", "response"] : ["response", "request"]
    this.sentSize = size(sent!)
    this.receivedSize = size(received!)
    this.#sentCount = count(sent!)
    this.#receivedCount = count(received!)
  }

  finished(event: RpcFinish, context: Context.Context<never>): void {
    const failure = failureOf(event)
    // The two outcomes of this convention: one series for all errors.
    this.#durations
      .get(kitexProtocol(event.info))
      .get(failure === undefined ? undefined : anyFailure)
      .updateUnsafe(event.durationMillis, context)
    this.#sentCount.updateUnsafe(event.sendCount, context)
    this.#receivedCount.updateUnsafe(event.recvCount, context)
    // Messages of streams are told one by one.
    if (isStream(event.info)) return
    this.sentSize.add(event.sendCount, event.sendBytes)
    this.receivedSize.add(event.recvCount, event.recvBytes)
  }
}

const anyFailure: Failure = { code: 0, type: "" }

// --- Prometheus ------------------------------------------------------------------------------------------------------------

/** The names, labels and buckets of Kitex's Prometheus monitor: no unit, it would be a label. @internal */
export const prometheus = (context: Context.Context<never>): DirectTracer => {
  const methods = new PerMethod(
    ({ method, side }) =>
      new PerLabel(
        manyCallers,
        (caller) =>
          new PerLabel(manyCallees, (callee) => {
            const handles = (status: string, retry: string) => {
              const attributes = {
                caller: caller || "unknown",
                callee: callee || "unknown",
                method: method === other ? "unknown" : method,
                status,
                retry
              }
              return {
                throughput: Metric.counter(`kitex_${side}_throughput`, {
                  description: `Total number of RPCs completed by the ${side}, regardless of success or failure.`,
                  attributes,
                  incremental: true
                }),
                latency: Metric.histogram(`kitex_${side}_latency_us`, {
                  description: `Latency (microseconds) of the RPC until it is finished.`,
                  attributes,
                  boundaries: micros
                })
              }
            }
            return new Retries(
              (retry) => new Outcomes((failure) => handles(failure === undefined ? "succeed" : "error", retry))
            )
          }),
        {
          now: millisOf(context),
          remove: (callees) =>
            callees.forEach((outcomes) =>
              outcomes.forEach(({ latency, throughput }) => {
                Metric.removeUnsafe(throughput, context)
                Metric.removeUnsafe(latency, context)
              })
            )
        }
      )
  )
  return {
    end: (event) => {
      const { callee, caller, unknown } = event.info
      const outcomes = methods
        .get(event.info)
        .get(unknown === true ? "" : caller)
        .get(unknown === true ? "" : callee)
        .get(retriesOf(event.info))
      const failure = failureOf(event)
      const { latency, throughput } = outcomes.get(failure === undefined ? undefined : anyFailure)
      throughput.updateUnsafe(1, context)
      latency.updateUnsafe(event.durationMillis * 1000, context)
    }
  }
}

// Policies have at most five.
const mostRetries = 9

/** Kitex's tag is on clients alone. */
const retriesOf = (info: RpcInfo): number => (info.side === "client" ? Math.min(info.attempt ?? 0, mostRetries) : 0)

/** One handle for each number of retries. */
class Retries<A> {
  readonly #make: (retries: string) => Outcomes<A>
  readonly #made: Array<Outcomes<A> | undefined> = []

  constructor(make: (retries: string) => Outcomes<A>) {
    this.#make = make
  }

  forEach(run: (handle: A) => void): void {
    for (const outcomes of this.#made) outcomes?.forEach(run)
  }

  get(retries: number): Outcomes<A> {
    return (this.#made[retries] ??= this.#make(`${retries}`))
  }
}
