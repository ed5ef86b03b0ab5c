/**
 * Services as etcd knows them: what is there now, and every change.
 *
 * @internal
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { Instance } from "../../Instance.ts"
import { ResolveError, type Source } from "../../Resolver.ts"
import { type KeyValue, Range, Watch } from "./answers.ts"
import { EtcdFailure, failureOf } from "./failure.ts"
import type { Gateway } from "./gateway.ts"
import { decodeInstance, serviceRange, whyNoService } from "./layout.ts"

/** @internal */
export interface SourceOptions {
  readonly prefix: string
  readonly defaultWeight: number
  /** A watch that has been silent for so long is begun anew. */
  readonly silence: Duration.Duration
}

/** The instances of a service by key, as they are at a revision. */
interface Snapshot {
  readonly instances: Map<string, Instance>
  readonly revision: bigint
}

// in an order that is the same each time
const listOf = (instances: ReadonlyMap<string, Instance>): ReadonlyArray<Instance> =>
  Array.from(instances.values()).sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0))

const textOf = (key: string): string => Result.getOrElse(Base64.decodeString(key), () => key)

/** @internal */
export const make = (gateway: Gateway, { defaultWeight, prefix, silence }: SourceOptions): Source => {
  /** Puts an instance; one that cannot be read is no instance, and a line in the log. */
  const put = (instances: Map<string, Instance>, { key = "", value = "" }: KeyValue): Effect.Effect<void> =>
    Effect.suspend(() => {
      const instance = decodeInstance(value, defaultWeight)
      if (typeof instance !== "string") {
        instances.set(key, instance)
        return Effect.void
      }
      instances.delete(key)
      return Effect.logWarning(
        `etcd: the value of key ${textOf(key)} is left out, because ${instance}: registry-etcd writes {"network","address","weight","tags"}`
      )
    })

  const snapshot = Effect.fnUntraced(function* (service: string) {
    const { header, kvs = [] } = yield* gateway.call("/v3/kv/range", serviceRange(prefix, service), Range)
    const instances = new Map<string, Instance>()
    for (const pair of kvs) yield* put(instances, pair)
    return { instances, revision: BigInt(header.revision) } satisfies Snapshot
  })

  /** The list after an answer of a watch, where that changes it. */
  const applied = Effect.fnUntraced(function* (instances: Map<string, Instance>, { result }: Watch) {
    const { cancel_reason, canceled, compact_revision, events = [] } = result
    if (compact_revision !== undefined) {
      return yield* Effect.fail(
        new EtcdFailure({ desc: "etcd forgot the changes since the last one", kind: "compacted" })
      )
    }
    if (canceled === true) {
      // its code is a part of the text, and not there to read
      return yield* Effect.fail(failureOf(gateway.where, 0, `the watch is over: ${cancel_reason ?? "no reason given"}`))
    }
    for (const { kv = {}, type } of events) {
      if (type === "DELETE") instances.delete(kv.key ?? "")
      else yield* put(instances, kv)
    }
    return events.length === 0 ? [] : [listOf(instances)]
  })

  /** All instances, then every change of them, until nothing has come for a while. */
  const session = (service: string) =>
    Stream.unwrap(
      Effect.map(snapshot(service), ({ instances, revision }) =>
        gateway
          .open(
            "/v3/watch",
            { create_request: { ...serviceRange(prefix, service), start_revision: String(revision + 1n) } },
            Watch
          )
          .pipe(
            Stream.concat(Stream.fail(new EtcdFailure({ desc: "etcd ended the watch", kind: "unreachable" }))),
            Stream.timeout(silence),
            Stream.mapEffect((answer) => applied(instances, answer)),
            Stream.flattenIterable,
            Stream.prepend([listOf(instances)])
          )
      )
    )

  const unnamed = (service: string): ResolveError | undefined => {
    const desc = whyNoService(service)
    return desc === undefined ? undefined : new ResolveError({ resolver: "etcd", service, desc, retryable: false })
  }

  const failed = (service: string) => (failure: EtcdFailure) =>
    new ResolveError({ resolver: "etcd", service, desc: failure.desc, retryable: failure.kind !== "refused" })

  return {
    name: "etcd",
    resolve: (service) => {
      const error = unnamed(service)
      return error === undefined
        ? snapshot(service).pipe(
            Effect.map(({ instances }) => ({ instances: listOf(instances) })),
            Effect.mapError(failed(service))
          )
        : Effect.fail(error)
    },
    watch: (service) => {
      const error = unnamed(service)
      return error === undefined
        ? session(service).pipe(
            Stream.forever,
            // not at once: that of an etcd that forgets all the time would be a storm
            Stream.retry(($) =>
              $(Schedule.spaced("100 millis")).pipe(Schedule.while(({ input }) => input.kind === "compacted"))
            ),
            Stream.changes,
            Stream.mapError(failed(service))
          )
        : Stream.fail(error)
    }
  }
}
