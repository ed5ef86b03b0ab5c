/**
 * Instances that are kept in etcd: each has a lease of its own, and is put back where it vanishes.
 *
 * @internal
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Semaphore from "effect/Semaphore"
import { type Registration, RegistryError } from "../../Registry.ts"
import { KeepAlive, Lease, Nothing, Range } from "./answers.ts"
import { type EtcdFailure, notFound } from "./failure.ts"
import type { Gateway } from "./gateway.ts"
import { encodeInstance, instanceKey, whyNoAddress, whyNoService, whyNoWeight } from "./layout.ts"

/** @internal */
export interface RegistrarOptions {
  readonly prefix: string
  readonly leaseSeconds: number
  /** The address by which others find one. */
  readonly announced: (address: string) => string
}

/** One that is registered, or about to be. */
interface Entry {
  readonly key: string
  /** As texts name it. */
  readonly name: string
  value: string
  /** Undefined until there is one, and after it was lost. */
  lease: string | undefined
  keeper: Fiber.Fiber<void> | undefined
}

// soon enough for a lease that is about to end, and no storm of many servers when etcd is back
const again = Schedule.jittered(Schedule.min([Schedule.exponential("250 millis"), Schedule.spaced("5 seconds")]))

const isLost = ({ code }: EtcdFailure): boolean => code === notFound

/** @internal */
export const make = Effect.fnUntraced(function* (
  gateway: Gateway,
  { announced, leaseSeconds: seconds, prefix }: RegistrarOptions
) {
  const scope = yield* Effect.scope
  const lock = yield* Semaphore.make(1)
  const entries = new Map<string, Entry>()
  // as often as etcd's own clients
  const beat = Duration.millis((seconds * 1000) / 3)

  const put = Effect.fnUntraced(function* (entry: Entry) {
    const { key, value } = entry
    entry.lease ??= (yield* gateway.call("/v3/lease/grant", { TTL: String(seconds) }, Lease)).ID
    yield* gateway.call("/v3/kv/put", { key, value, lease: entry.lease }, Nothing)
  })

  /** Puts it, under a new lease where the one that it has is over. */
  const store = (entry: Entry): Effect.Effect<void, EtcdFailure> =>
    Effect.catchIf(put(entry), isLost, () => {
      entry.lease = undefined
      return put(entry)
    })

  /** Whether it is still there, for as long as a lease lasts from now on. */
  const renewed = Effect.fnUntraced(function* (entry: Entry) {
    if (entry.lease === undefined) return false
    const { result } = yield* gateway.call("/v3/lease/keepalive", { ID: entry.lease }, KeepAlive)
    if (result.TTL === undefined) {
      entry.lease = undefined
      return false
    }
    const { kvs = [] } = yield* gateway.call("/v3/kv/range", { key: entry.key, keys_only: true }, Range)
    return kvs.length > 0
  })

  const renew = Effect.fnUntraced(function* (entry: Entry) {
    if (yield* renewed(entry)) return
    yield* store(entry)
    yield* Effect.logWarning(`etcd: ${entry.name} had vanished, and is registered again`)
  })

  const keep = (entry: Entry): Effect.Effect<void> => {
    let failing = false
    const attempt = Effect.tapError(renew(entry), ({ desc }) => {
      if (failing) return Effect.void
      failing = true
      return Effect.logWarning(`etcd: ${entry.name} may vanish, and is tried again and again: ${desc}`)
    })
    const turn = Effect.flatMap(Effect.ignore(Effect.retry(attempt, again)), () => {
      if (!failing) return Effect.void
      failing = false
      return Effect.logInfo(`etcd: ${entry.name} is kept again`)
    })
    return Effect.forever(Effect.andThen(Effect.sleep(beat), turn))
  }

  const revoke = (entry: Entry): Effect.Effect<void, EtcdFailure> =>
    entry.lease === undefined
      ? Effect.void
      : Effect.catchIf(
          Effect.asVoid(gateway.call("/v3/lease/revoke", { ID: entry.lease }, Nothing)),
          isLost,
          () => Effect.void
        )

  const add = Effect.fnUntraced(function* (registration: Registration) {
    const { address, service } = registration
    const key = instanceKey(prefix, service, address)
    const value = Base64.encode(encodeInstance(registration))
    const known = entries.get(key)
    if (known !== undefined) {
      known.value = value
      return yield* store(known)
    }
    const entry: Entry = { key, name: `${service} at ${address}`, value, lease: undefined, keeper: undefined }
    // an answer that is lost may have put it there
    yield* Effect.onError(store(entry), () => Effect.ignore(revoke(entry)))
    entries.set(key, entry)
    entry.keeper = yield* Effect.forkIn(keep(entry), scope)
  })

  const remove = (entry: Entry): Effect.Effect<void, EtcdFailure> => {
    entries.delete(entry.key)
    return Effect.andThen(entry.keeper === undefined ? Effect.void : Fiber.interrupt(entry.keeper), revoke(entry))
  }

  yield* Effect.addFinalizer(() =>
    Effect.forEach(
      [...entries.values()],
      (entry) =>
        Effect.catch(remove(entry), ({ desc }) =>
          Effect.logWarning(`etcd: ${entry.name} stays registered for ${seconds} s at most: ${desc}`)
        ),
      { concurrency: "unbounded", discard: true }
    )
  )

  const failed = (service: string, desc: string) => new RegistryError({ registry: "etcd", service, desc })

  return {
    name: "etcd",
    register: (registration: Registration): Effect.Effect<void, RegistryError> => {
      const { service, weight } = registration
      const address = announced(registration.address)
      const why = whyNoService(service) ?? whyNoWeight(weight) ?? whyNoAddress(address)
      return why === undefined
        ? Effect.mapError(lock.withPermit(add({ ...registration, address })), ({ desc }) => failed(service, desc))
        : Effect.fail(failed(service, why))
    },
    deregister: ({ address, service }: Registration): Effect.Effect<void, RegistryError> =>
      lock.withPermit(
        Effect.suspend(() => {
          const entry = entries.get(instanceKey(prefix, service, announced(address)))
          return entry === undefined
            ? Effect.void
            : Effect.mapError(remove(entry), ({ desc }) =>
                failed(service, `${entry.name} stays registered for ${seconds} s at most: ${desc}`)
              )
        })
      )
  }
})
