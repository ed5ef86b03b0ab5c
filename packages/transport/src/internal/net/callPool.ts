/**
 * A client's connections of PingPong calls: pools by address, and the dials that fill them.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import type { CallLease, CallTarget } from "../../RawCall.ts"
import type { TransportError } from "../../TransportError.ts"
import type { ClientOptions } from "../../TransportOptions.ts"
import { AddressPool } from "./addressPool.ts"
import { CallClient } from "./callClient.ts"
import { dialSocket, dialTimeouts } from "./dial.ts"
import { connectFailed, connectTimeout, poolExhausted } from "./errors.ts"
import { callPoolOptions, type Platform } from "./options.ts"
import { run } from "./run.ts"
import type { Dial } from "./socket.ts"

/** Addresses without connections of which it is remembered that their servers multiplex. */
const maxRemembered = 1024

const closedAtOnce =
  "the server closes new connections at once; does it speak Thrift, and TLS only where this client does?"

const transportClosed = (address: string): TransportError => connectFailed(address, "the transport is closed")

/** `tryLease` and `lease` of the client transport. @internal */
export const makeCallPool = Effect.fnUntraced(function* (
  dial: Dial,
  options: ClientOptions,
  platform: Platform
): Effect.fn.Return<
  {
    readonly tryLease: (target: CallTarget) => CallLease | undefined
    readonly lease: (target: CallTarget) => Effect.Effect<CallLease, TransportError>
  },
  never,
  Scope.Scope
> {
  // Dials and connections live here: whoever asked for a connection may go before it is there. Nothing begins once it
  // is closed.
  const fork = yield* FiberSet.makeRuntime()
  const settings = callPoolOptions(options, platform)
  const timeouts = dialTimeouts(options)
  const pools = new Map<string, Array<AddressPool>>()
  const allIdle = new Set<CallClient>()
  const remembered = new Set<string>()

  const find = ({ address, connection, encoding }: CallTarget): AddressPool | undefined => {
    const list = pools.get(address)
    if (list === undefined) return undefined
    for (let i = 0; i < list.length; i++) {
      const pool = list[i]!
      if (pool.encoding === encoding && pool.mode === connection) return pool
    }
    return undefined
  }

  const key = (pool: AddressPool): string => `${pool.encoding} ${pool.address}`

  const poolOf = (target: CallTarget): AddressPool => {
    const found = find(target)
    if (found !== undefined) return found
    const pool = new AddressPool(target, settings, allIdle, forget)
    pool.learned = pool.mode === "auto" && remembered.delete(key(pool))
    const list = pools.get(target.address)
    if (list === undefined) pools.set(target.address, [pool])
    else list.push(pool)
    return pool
  }

  const forget = (pool: AddressPool): void => {
    const list = pools.get(pool.address)
    const index = list === undefined ? -1 : list.indexOf(pool)
    if (list === undefined || index < 0) return
    list.splice(index, 1)
    if (list.length === 0) pools.delete(pool.address)
    if (!pool.learned) return
    remembered.add(key(pool))
    if (remembered.size > maxRemembered) for (const oldest of remembered) return void remembered.delete(oldest)
  }

  /** Dials in the transport's scope. `done` is called once. */
  const start = (
    pool: AddressPool,
    shared: boolean,
    connectTimeout: number | undefined,
    done: (exit: Exit.Exit<CallClient, TransportError>) => void
  ): void => {
    const { address } = pool
    pool.dialling++
    const limits = { ...timeouts, dial: connectTimeout ?? timeouts.dial }
    const dialled = Effect.map(dialSocket(dial, address, undefined, limits), (socket) => {
      const client = new CallClient(socket, settings, pool)
      pool.add(client, shared)
      fork(run(client))
      client.start()
      return client
    })
    fork(dialled).addObserver((exit) => {
      if (Exit.isSuccess(exit)) return done(exit)
      pool.dialFailed()
      done(Cause.hasInterruptsOnly(exit.cause) ? Exit.fail(transportClosed(address)) : exit)
    })
  }

  /** A connection of its own for one call. When the call is gone by then, the connection waits for another. */
  const dialOwn = (target: CallTarget): Effect.Effect<CallLease, TransportError> =>
    Effect.callback((resume) => {
      const pool = poolOf(target)
      let waiting = true
      start(pool, false, target.connectTimeoutMillis, (exit) => {
        if (Exit.isFailure(exit)) resume(exit)
        else if (waiting) resume(Effect.succeed(exit.value.lease()))
        else pool.settle(exit.value)
      })
      return Effect.sync(() => {
        waiting = false
      })
    })

  /** One dial for all who wait for a connection to share. */
  const dialShared = (pool: AddressPool, target: CallTarget): Effect.Effect<CallClient, TransportError> => {
    const { address, connectTimeoutMillis: limit } = target
    if (pool.sharedDial !== undefined) {
      const joined = Deferred.await(pool.sharedDial)
      if (limit === undefined || !Number.isFinite(limit)) return joined
      return Effect.timeoutOrElse(joined, {
        duration: limit,
        orElse: () => Effect.fail(connectTimeout(address, "dial", limit))
      })
    }
    const deferred = Deferred.makeUnsafe<CallClient, TransportError>()
    pool.sharedDial = deferred
    start(pool, true, limit, (exit) => {
      pool.sharedDial = undefined
      Deferred.doneUnsafe(deferred, exit)
    })
    return Deferred.await(deferred)
  }

  const tryLease = (target: CallTarget): CallLease | undefined => find(target)?.take()

  /** `redials`: how many connections that the server ends at once are worth another one. */
  const leaseWith = (target: CallTarget, redials: number): Effect.Effect<CallLease, TransportError> =>
    Effect.suspend(() => {
      const ready = tryLease(target)
      if (ready !== undefined) return Effect.succeed(ready)
      const { address } = target
      const pool = poolOf(target)
      const joins = pool.sharing && pool.sharedDial !== undefined
      if (!joins && pool.size >= settings.maxPerAddress) {
        const spare = pool.takeShared()
        return spare === undefined
          ? Effect.fail(poolExhausted(address, settings.maxPerAddress))
          : Effect.succeed<CallLease>(spare)
      }
      if (!pool.sharing) return dialOwn(target)
      return Effect.matchEffect(dialShared(pool, target), {
        onFailure: (error) => {
          // Fewer than wanted are better than none.
          const spare = pool.takeShared()
          return spare === undefined ? Effect.fail(error) : Effect.succeed<CallLease>(spare)
        },
        onSuccess: (client) => {
          const spare = pool.takeShared()
          if (spare !== undefined) return Effect.succeed<CallLease>(spare)
          // Others were first, or the server went away at once.
          if (client.fit) return leaseWith(target, redials)
          return redials > 0 ? leaseWith(target, redials - 1) : Effect.fail(connectFailed(address, closedAtOnce))
        }
      })
    })

  return { tryLease, lease: (target) => leaseWith(target, 2) }
})
