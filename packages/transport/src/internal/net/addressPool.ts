/**
 * The connections of PingPong calls or of streams to one address, in one encoding and mode: who is idle, who is shared, who is
 * next.
 *
 * @internal
 */
import type { ConnectionMode } from "../../RawCall.ts"
import type { SharedDial } from "./dial.ts"
import type { ConnectionPoolOptions } from "./options.ts"
import type { Pooled, PoolOwner, PoolTarget, Traffic } from "./pooled.ts"

/** Connections on which calls find out whether a server multiplexes, and how many more while no answer comes. */
const fewExplorers = 16

/** @internal */
export class AddressPool<C extends Pooled<C>> implements PoolOwner<C> {
  readonly address: string
  readonly encoding: Traffic
  readonly mode: ConnectionMode
  reading: C | undefined = undefined
  /** Connections that will come. */
  dialling = 0
  /** How often all were retired: those that were being dialled then are not kept either. */
  retirements = 0
  /** The one that all who share wait for. */
  sharedDial: SharedDial<C> | undefined = undefined
  /** The server handles calls of one connection side by side: mode `auto` shares then. Undefined: nobody knows yet. */
  learned: boolean | undefined
  /** Calls that wait while others explore, the first first. They ask again then. */
  readonly waiting = new Set<() => void>()
  /** `widen` is called from time to time. */
  widening = false
  /** Calls that wait for dials of their own. They take a shared connection as well. */
  readonly dialers = new Set<(client: C) => void>()

  private readonly options: ConnectionPoolOptions
  /** Idle connections of all addresses, the oldest first. */
  private readonly allIdle: Set<C>
  private readonly onEmpty: (pool: AddressPool<C>) => void
  private readonly idle: Array<C> = []
  private readonly shared: Array<C> = []
  private next = 0
  private readonly members = new Set<C>()
  private maxExplorers: number
  private waking = false

  constructor(
    target: PoolTarget,
    options: ConnectionPoolOptions,
    learned: boolean | undefined,
    allIdle: Set<C>,
    onEmpty: (pool: AddressPool<C>) => void
  ) {
    this.address = target.address
    this.encoding = target.encoding
    this.mode = target.connection
    this.options = options
    this.maxExplorers = this.fewExplorers
    // Only a TTHeader says whether the server multiplexes.
    this.learned = this.mode === "auto" && this.encoding.startsWith("ttheader") ? learned : false
    this.allIdle = allIdle
    this.onEmpty = onEmpty
  }

  /** Connections that are there or will be. */
  get size(): number {
    return this.members.size + this.dialling
  }

  /** Calls share connections, as far as is known. */
  get sharing(): boolean {
    return this.mode === "multiplexed" || this.learned === true
  }

  /** Calls enough find out whether the server multiplexes: others wait for what they hear. */
  get exploring(): boolean {
    return this.learned === undefined && this.idle.length === 0 && this.size >= this.maxExplorers
  }

  // ---- taking

  /** A connection for one more call; undefined when one must be dialled. */
  take(): C | undefined {
    if (this.mode === "short") return undefined
    if (this.reading !== undefined) this.learn(this.reading)
    const missing = this.mode === "multiplexed" && this.shared.length < this.options.connectionsPerAddress
    return (missing ? undefined : this.takeShared()) ?? this.takeReading() ?? this.takeIdle()
  }

  /** A shared connection with room, in turn. */
  takeShared(): C | undefined {
    const { shared } = this
    for (let left = shared.length; left > 0 && shared.length > 0; left--) {
      const index = this.next % shared.length
      const client = shared[index]!
      if (client.fit) {
        this.next = index + 1
        if (client.load < this.options.perConnection && !client.full) return client.lease()
      } else {
        this.next = index
        this.retire(client)
      }
    }
    return undefined
  }

  /** The connection whose answer is being handed over is free already. */
  private takeReading(): C | undefined {
    const client = this.reading
    if (client === undefined || client.place !== "out" || client.load > 0 || !client.fit) return undefined
    return client.spoilt ? undefined : client.lease()
  }

  /** The one that was used last: those that are not needed grow old. */
  private takeIdle(): C | undefined {
    for (;;) {
      const client = this.idle.at(-1)
      if (client === undefined) return undefined
      if (!client.fit) {
        this.retire(client)
        continue
      }
      this.forget(client)
      if (this.mode === "multiplexed" || client.learned === true) this.share(client)
      return client.lease()
    }
  }

  // ---- giving back

  /** A connection that was dialled. */
  add(client: C, shared: boolean): void {
    this.dialling--
    this.members.add(client)
    if (!shared) return
    this.share(client)
    this.wake()
  }

  dialFailed(): void {
    this.dialling--
    this.lost()
  }

  settle(client: C): void {
    if (client.connection.closed) return
    // A goodbye does not say whether the server multiplexes.
    if (client.fit || (this.learned === undefined && client.quiet)) this.learn(client)
    if (!client.fit || client.place === "left") return this.retire(client)
    const free = client.load === 0
    if (client.place === "shared") {
      if (!free || this.shared.length <= this.options.connectionsPerAddress) return
      this.forget(client)
    }
    if (!free || client.place === "idle") return
    if (this.mode === "short" || client.spoilt) return this.retire(client)
    client.place = "idle"
    this.idle.push(client)
    this.allIdle.add(client)
    if (this.idle.length > this.options.maxIdlePerAddress) this.retire(this.idle[0]!)
    else if (this.allIdle.size > this.options.maxIdleGlobal) {
      const [oldest] = this.allIdle
      oldest!.owner.retire(oldest!)
    }
    this.wake()
  }

  expire(client: C): void {
    if (this.idle.length > this.options.minIdlePerAddress) this.retire(client)
  }

  leave(client: C): void {
    if (client.place === "left") return
    this.forget(client)
    client.place = "left"
    this.members.delete(client)
    this.lost()
  }

  /** Nothing new goes out on it; it closes when its last call has ended. */
  retire(client: C): void {
    this.leave(client)
    if (client.quiet) client.finish()
  }

  /** The same for all that are there. */
  retireAll(): void {
    this.retirements++
    for (const client of this.members) {
      // Whoever it was dialled for has yet to take it.
      if (client.place === "out" && client.quiet) this.leave(client)
      else this.retire(client)
    }
  }

  /** One connection less. */
  private lost(): void {
    if (this.waiting.size > 0) this.wake()
    else if (this.size === 0) this.onEmpty(this)
  }

  private share(client: C): void {
    client.place = "shared"
    this.shared.push(client)
  }

  /** Takes it out of the list that it is in. */
  private forget(client: C): void {
    const list = client.place === "idle" ? this.idle : client.place === "shared" ? this.shared : undefined
    list?.splice(list.indexOf(client), 1)
    if (client.place === "idle") this.allIdle.delete(client)
    client.place = "out"
  }

  /** What its last answer said of sharing. */
  private learn(client: C): void {
    if (this.mode !== "auto") return
    const { learned } = client
    if (learned === undefined) return
    if (!learned && client.place === "shared") this.forget(client)
    const wanted = learned && client.fit && this.shared.length < this.options.connectionsPerAddress
    if (wanted && client.place === "out") this.share(client)
    if (this.learned === learned) return
    this.learned = learned
    this.wake()
  }

  // ---- waiting

  /** More calls may explore. */
  widen(): void {
    if (this.waiting.size > 0) this.maxExplorers += fewExplorers
    this.wake()
  }

  private get fewExplorers(): number {
    return Math.min(fewExplorers, this.options.maxPerAddress)
  }

  private wake(): void {
    if (this.waking || this.waiting.size + this.dialers.size === 0) return
    this.waking = true
    this.options.defer(this.wakeSome)
  }

  private readonly wakeSome = (): void => {
    this.waking = false
    if (this.learned === true) {
      for (const take of this.dialers) {
        const client = this.takeShared()
        if (client === undefined) break
        this.dialers.delete(take)
        take(client)
      }
    }
    for (const askAgain of this.waiting) {
      if (this.exploring) return
      this.waiting.delete(askAgain)
      askAgain()
    }
    this.maxExplorers = this.fewExplorers
    if (this.size === 0) this.onEmpty(this)
  }
}
