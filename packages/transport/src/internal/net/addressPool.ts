/**
 * The connections of PingPong calls to one address, in one encoding and mode: who is idle, who is shared, who is next.
 *
 * @internal
 */
import type * as Deferred from "effect/Deferred"
import type { CallTarget, ConnectionMode, Encoding } from "../../RawCall.ts"
import type { TransportError } from "../../TransportError.ts"
import type { CallClient, CallClientOptions, CallClientOwner } from "./callClient.ts"

/** Options with their defaults filled in. @internal */
export interface CallPoolOptions extends CallClientOptions {
  readonly maxIdlePerAddress: number
  readonly maxIdleGlobal: number
  readonly minIdlePerAddress: number
  readonly maxPerAddress: number
  readonly callsPerConnection: number
  readonly connectionsPerAddress: number
}

/** @internal */
export class AddressPool implements CallClientOwner {
  readonly address: string
  readonly encoding: Encoding
  readonly mode: ConnectionMode
  reading: CallClient | undefined = undefined
  /** Connections that will come. */
  dialling = 0
  /** The one that all who share wait for. */
  sharedDial: Deferred.Deferred<CallClient, TransportError> | undefined = undefined
  /** The server handles calls of one connection side by side: mode `auto` shares then. */
  learned = false

  private readonly options: CallPoolOptions
  /** Idle connections of all addresses, the oldest first. */
  private readonly allIdle: Set<CallClient>
  private readonly onEmpty: (pool: AddressPool) => void
  private readonly idle: Array<CallClient> = []
  private readonly shared: Array<CallClient> = []
  private next = 0
  private members = 0

  constructor(
    target: CallTarget,
    options: CallPoolOptions,
    allIdle: Set<CallClient>,
    onEmpty: (pool: AddressPool) => void
  ) {
    this.address = target.address
    this.encoding = target.encoding
    this.mode = target.connection
    this.options = options
    this.allIdle = allIdle
    this.onEmpty = onEmpty
  }

  /** Connections that are there or will be. */
  get size(): number {
    return this.members + this.dialling
  }

  /** Calls share connections, as far as is known. */
  get sharing(): boolean {
    return this.mode === "multiplexed" || (this.mode === "auto" && this.learned)
  }

  // ---- taking

  /** A connection for one more call; undefined when one must be dialled. */
  take(): CallClient | undefined {
    if (this.mode === "short") return undefined
    if (this.reading !== undefined) this.learn(this.reading)
    const missing = this.mode === "multiplexed" && this.shared.length < this.options.connectionsPerAddress
    return (missing ? undefined : this.takeShared()) ?? this.takeReading() ?? this.takeIdle()
  }

  /** A shared connection with room, in turn. */
  takeShared(): CallClient | undefined {
    const { shared } = this
    for (let left = shared.length; left > 0 && shared.length > 0; left--) {
      const index = this.next % shared.length
      const client = shared[index]!
      if (client.fit) {
        this.next = index + 1
        if (client.load < this.options.callsPerConnection && !client.full) return client.lease()
      } else {
        this.next = index
        this.retire(client)
      }
    }
    return undefined
  }

  /** The connection whose answer is being handed over is free already. */
  private takeReading(): CallClient | undefined {
    const client = this.reading
    if (client === undefined || client.place !== "out" || client.load > 0 || !client.fit) return undefined
    return client.spoilt ? undefined : client.lease()
  }

  /** The one that was used last: those that are not needed grow old. */
  private takeIdle(): CallClient | undefined {
    for (;;) {
      const client = this.idle.at(-1)
      if (client === undefined) return undefined
      if (!client.fit) {
        this.retire(client)
        continue
      }
      this.forget(client)
      if (this.mode === "multiplexed" || client.connection.learned === true) this.share(client)
      return client.lease()
    }
  }

  // ---- giving back

  /** A connection that was dialled. */
  add(client: CallClient, shared: boolean): void {
    this.dialling--
    this.members++
    if (shared) this.share(client)
  }

  dialFailed(): void {
    this.dialling--
    if (this.size === 0) this.onEmpty(this)
  }

  settle(client: CallClient): void {
    if (client.connection.closed) return
    if (!client.fit || client.place === "left") return this.retire(client)
    this.learn(client)
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
  }

  expire(client: CallClient): void {
    if (this.idle.length > this.options.minIdlePerAddress) this.retire(client)
  }

  leave(client: CallClient): void {
    if (client.place === "left") return
    this.forget(client)
    client.place = "left"
    this.members--
    if (this.size === 0) this.onEmpty(this)
  }

  /** Nothing new goes out on it; it closes when its last call has ended. */
  retire(client: CallClient): void {
    this.leave(client)
    if (client.load === 0) client.finish()
  }

  private share(client: CallClient): void {
    client.place = "shared"
    this.shared.push(client)
  }

  /** Takes it out of the list that it is in. */
  private forget(client: CallClient): void {
    const list = client.place === "idle" ? this.idle : client.place === "shared" ? this.shared : undefined
    list?.splice(list.indexOf(client), 1)
    if (client.place === "idle") this.allIdle.delete(client)
    client.place = "out"
  }

  /** What its last answer said of sharing. */
  private learn(client: CallClient): void {
    const { learned } = client.connection
    if (this.mode !== "auto" || learned === undefined) return
    this.learned = learned
    if (!learned && client.place === "shared") this.forget(client)
    if (learned && client.place === "out" && this.shared.length < this.options.connectionsPerAddress) this.share(client)
  }
}
