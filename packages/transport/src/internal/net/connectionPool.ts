/**
 * A client's connections of PingPong calls, or of streams that share connections as calls do: pools by address, and the dials that
 * fill them.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import type { TransportError } from "../../TransportError.ts"
import { AddressPool } from "./addressPool.ts"
import { DialSteps, dialSocket, type DialTimeouts, SharedDial, within } from "./dial.ts"
import type { Driver } from "./driver.ts"
import { connectFailed, speaksThrift } from "./errors.ts"
import type { ConnectionPoolOptions } from "./options.ts"
import type { Pooled, PoolOwner, PoolTarget } from "./pooled.ts"
import { run } from "./run.ts"
import type { Dial, Socket } from "./socket.ts"

/** Addresses without connections of which it is remembered whether their servers multiplex. */
const maxRemembered = 1024

/** Milliseconds without an answer after which more calls may find out whether a server multiplexes. */
const explorationStep = 100

const closedAtOnce = `the server closes new connections at once; ${speaksThrift}`

const transportClosed = (address: string): TransportError => connectFailed(address, "the transport is closed")

/** Connections for whoever asks for one, by address. @internal */
export interface ConnectionPool<T, C> {
  /** A connection that is there; undefined when one must be dialled. */
  readonly tryLease: (target: T) => C | undefined
  readonly lease: (target: T) => Effect.Effect<C, TransportError>
  readonly retire: (address: string) => void
}

/** `make`: the driver of a connection, which this starts and looks after. @internal */
export const makeConnectionPool = Effect.fnUntraced(function* <T extends PoolTarget, C extends Driver & Pooled<C>>(
  dial: Dial,
  timeouts: DialTimeouts,
  settings: ConnectionPoolOptions,
  make: (socket: Socket, owner: PoolOwner<C>, target: T) => C
): Effect.fn.Return<ConnectionPool<T, C>, never, Scope.Scope> {
  // Dials and connections live here: whoever asked for a connection may go before it is there. Nothing begins once it
  // is closed.
  const fork = yield* FiberSet.makeRuntime()
  const pools = new Map<string, Array<AddressPool<C>>>()
  const allIdle = new Set<C>()
  const remembered = new Map<string, boolean>()

  const find = ({ address, connection, encoding }: PoolTarget): AddressPool<C> | undefined => {
    const list = pools.get(address)
    if (list === undefined) return undefined
    for (let i = 0; i < list.length; i++) {
      const pool = list[i]!
      if (pool.encoding === encoding && pool.mode === connection) return pool
    }
    return undefined
  }

  const key = ({ address, encoding }: PoolTarget | AddressPool<C>): string => `${encoding} ${address}`

  const poolOf = (target: PoolTarget): AddressPool<C> => {
    const found = find(target)
    if (found !== undefined) return found
    const known = target.connection === "auto" ? remembered.get(key(target)) : undefined
    const pool = new AddressPool(target, settings, known, allIdle, forget)
    const list = pools.get(target.address)
    if (list === undefined) pools.set(target.address, [pool])
    else list.push(pool)
    return pool
  }

  const forget = (pool: AddressPool<C>): void => {
    const list = pools.get(pool.address)
    const index = list === undefined ? -1 : list.indexOf(pool)
    if (list === undefined || index < 0) return
    list.splice(index, 1)
    if (list.length === 0) pools.delete(pool.address)
    if (pool.mode !== "auto" || pool.learned === undefined) return
    remembered.delete(key(pool))
    remembered.set(key(pool), pool.learned)
    if (remembered.size > maxRemembered) for (const oldest of remembered.keys()) return void remembered.delete(oldest)
  }

  /** Dials in the transport's scope. `done` is called once. */
  const start = (
    pool: AddressPool<C>,
    target: T,
    steps: DialSteps,
    shared: boolean,
    limits: DialTimeouts,
    done: (exit: Exit.Exit<C, TransportError>) => void
  ): void => {
    const { address, retirements } = pool
    pool.dialling++
    const dialled = dialSocket(steps.through(dial), address, undefined, limits, (socket) =>
      Effect.sync(() => {
        const client = make(socket, pool, target)
        pool.add(client, shared)
        fork(run(client))
        client.start()
        if (pool.retirements === retirements) return client
        // Who waits for a shared one dials another.
        if (shared) pool.retire(client)
        else pool.leave(client)
        return client
      })
    )
    fork(dialled).addObserver((exit) => {
      if (Exit.isSuccess(exit)) return done(exit)
      pool.dialFailed()
      done(Cause.hasInterruptsOnly(exit.cause) ? Exit.fail(transportClosed(address)) : exit)
    })
  }

  /**
   * A connection of its own, unless one can be shared before it is there. When nobody takes it, the connection waits for whoever
   * comes next.
   */
  const dialOwn = (target: T): Effect.Effect<C, TransportError> =>
    Effect.suspend(() => {
      const { address, connectTimeoutMillis: limit } = target
      const steps = new DialSteps()
      const own = Effect.callback<C, TransportError>((resume) => {
        const pool = poolOf(target)
        const take = (client: C) => resume(Effect.succeed(client))
        pool.dialers.add(take)
        start(pool, target, steps, false, { ...timeouts, dial: limit ?? timeouts.dial }, (exit) => {
          const waits = pool.dialers.delete(take)
          if (Exit.isFailure(exit)) {
            if (waits) resume(exit)
          } else if (waits) take(exit.value.lease())
          else pool.settle(exit.value)
        })
        return Effect.sync(() => void pool.dialers.delete(take))
      })
      return within(address, limit, () => steps.at, own)
    })

  /** One dial for all who wait for a connection to share. */
  const dialShared = (pool: AddressPool<C>, target: T): Effect.Effect<C, TransportError> => {
    const { address, connectTimeoutMillis: limit } = target
    if (pool.sharedDial !== undefined) return pool.sharedDial.wait(limit)
    const shared = new SharedDial<C>(address, limit, timeouts)
    pool.sharedDial = shared
    start(pool, target, shared, true, shared.timeouts, (exit) => {
      pool.sharedDial = undefined
      shared.done(exit)
    })
    return shared.wait(limit)
  }

  /** While no answer comes: calls that take their time must not keep others from dialling. */
  const widen = (pool: AddressPool<C>): Effect.Effect<void> => {
    pool.widening = true
    return Effect.whileLoop({
      while: () => (pool.widening = pool.waiting.size > 0),
      body: () => Effect.sleep(explorationStep),
      step: () => pool.widen()
    })
  }

  /** Until an answer says whether connections are shared, or there is room to find out. */
  const explored = (pool: AddressPool<C>): Effect.Effect<void> =>
    Effect.callback((resume) => {
      const askAgain = () => resume(Effect.void)
      pool.waiting.add(askAgain)
      if (!pool.widening) fork(widen(pool))
      return Effect.sync(() => void pool.waiting.delete(askAgain))
    })

  const tryLease = (target: T): C | undefined => find(target)?.take()

  /** A shared connection that has room all the same. */
  const spareOr = (pool: AddressPool<C>, otherwise: () => TransportError): Effect.Effect<C, TransportError> => {
    const spare = pool.takeShared()
    return spare === undefined ? Effect.fail(otherwise()) : Effect.succeed(spare)
  }

  /** `redials`: how many connections that the server ends at once are worth another one. */
  const leaseWith = (target: T, redials: number): Effect.Effect<C, TransportError> =>
    Effect.suspend(() => {
      const ready = tryLease(target)
      if (ready !== undefined) return Effect.succeed(ready)
      const { address } = target
      const pool = poolOf(target)
      if (pool.exploring) return Effect.andThen(explored(pool), leaseWith(target, redials))
      const joins = pool.sharing && pool.sharedDial !== undefined
      if (!joins && pool.size >= settings.maxPerAddress) {
        return spareOr(pool, () => settings.exhausted(address, settings.maxPerAddress))
      }
      if (!pool.sharing) return dialOwn(target)
      return Effect.matchEffect(dialShared(pool, target), {
        // Fewer than wanted are better than none.
        onFailure: (error) => spareOr(pool, () => error),
        onSuccess: (client) => {
          const spare = pool.takeShared()
          if (spare !== undefined) return Effect.succeed<C>(spare)
          // Others were first, or the server went away at once.
          if (client.fit) return leaseWith(target, redials)
          return redials > 0 ? leaseWith(target, redials - 1) : Effect.fail(connectFailed(address, closedAtOnce))
        }
      })
    })

  const retire = (address: string): void => {
    // A pool without connections leaves the list.
    for (const pool of pools.get(address)?.slice() ?? []) pool.retireAll()
  }

  return { tryLease, lease: (target) => leaseWith(target, 2), retire }
})
