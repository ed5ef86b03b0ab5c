/**
 * The client's end of a connection of PingPong calls. It is the lease on itself: whoever has it may send one call.
 *
 * @internal
 */
import type { CallLease, ConnectionMode, Encoding, OutgoingCall, RawClientCall } from "../../RawCall.ts"
import type { ConnectionEnd } from "../engine.ts"
import { Code } from "../grpc/status.ts"
import type { CallOptions, ClientCarrier } from "../pingpong/api.ts"
import { ClientConnection } from "../pingpong/clientConnection.ts"
import { Driver, type DriverOptions } from "./driver.ts"
import { speaksThrift } from "./errors.ts"
import type { Place, Pooled, PoolOwner } from "./pooled.ts"
import type { Socket } from "./socket.ts"
import { explained, recognisedSize } from "./strangers.ts"
import type { Timer } from "./watchdog.ts"

/** Options with their defaults filled in; times in milliseconds. @internal */
export interface CallClientOptions extends DriverOptions {
  readonly call: CallOptions
  /** Time after which a connection that waits in the pool has waited enough. */
  readonly maxIdleTime: number
}

/** Bytes that wait behind a server that does not read: no more calls until they are gone. */
const fullAbove = 1024 * 1024

/** @internal */
export class CallClient extends Driver implements ClientCarrier, CallLease, Pooled<CallClient> {
  readonly connection: ClientConnection
  place: Place = "out"
  readonly owner: PoolOwner<CallClient>
  private readonly encoding: Encoding
  private readonly maxIdleTime: number
  private readonly onDefect: (cause: unknown) => void
  /** Leases whose call was not sent yet. */
  private leases = 0
  /** The first bytes from the server. */
  private first: Uint8Array | undefined = undefined

  constructor(socket: Socket, options: CallClientOptions, owner: PoolOwner<CallClient>, encoding: Encoding) {
    super(socket, options)
    this.owner = owner
    this.encoding = encoding
    this.maxIdleTime = options.maxIdleTime
    this.onDefect = options.onDefect
    this.connection = new ClientConnection(this, options.call)
  }

  /** Calls on it, or about to be, and abandoned ones that the server may still run. */
  get load(): number {
    const { active, learned, owed } = this.connection
    return this.leases + active + (learned === true ? owed : 0)
  }

  /** Nobody waits for an answer, or is about to send a call. */
  get quiet(): boolean {
    return this.leases === 0 && this.connection.active === 0
  }

  /** A call may go out on it. */
  get fit(): boolean {
    return this.connection.usable && this.socket.alive
  }

  /** An answer without a TTHeader says that nothing is shared. */
  get learned(): boolean | undefined {
    const { learned, midMessage, received } = this.connection
    const heard = received > 0 && this.quiet && !midMessage
    return learned ?? (heard ? false : undefined)
  }

  /** Nothing may share it, and a call that has it to itself might get the answer of another. */
  get spoilt(): boolean {
    const { learned, mayBeLate } = this.connection
    return mayBeLate && learned !== true && this.owner.mode !== "multiplexed"
  }

  /** More bytes wait than another call should wait for. */
  get full(): boolean {
    return this.unsent > fullAbove
  }

  /** How the next call goes out: one that shares the connection leaves it to the others when it is abandoned. */
  private get mode(): ConnectionMode {
    const { mode } = this.owner
    if (mode !== "auto") return mode
    const { learned, mayBeLate } = this.connection
    // The server may have said that it does not multiplex while calls and leases were out: they share it to their end.
    return this.place === "shared" || learned === true || this.load > 0 || mayBeLate ? "multiplexed" : "auto"
  }

  // ---- the lease

  lease(): this {
    this.leases++
    return this
  }

  send<A>(call: OutgoingCall<A>): RawClientCall {
    this.leases--
    try {
      return this.connection.send(call, this.encoding, this.mode)
    } finally {
      // It could not be encoded, or the server had asked for an end of the connection since the lease.
      if (this.connection.active === 0) this.owner.settle(this)
    }
  }

  release(): void {
    if (this.leases === 0) return
    this.leases--
    this.owner.settle(this)
  }

  /** Closes behind what was written. */
  finish(): void {
    this.close({ _tag: "Local", detail: "the connection is not needed any more" })
  }

  // ---- from the socket and the engine

  override onData(chunk: Uint8Array): void {
    // A copy: Buffer's own slice is none, and the chunk is freed behind its read.
    this.first ??= new Uint8Array(chunk.subarray(0, recognisedSize))
    this.owner.reading = this
    try {
      super.onData(chunk)
    } catch (cause) {
      // Whoever waited for an answer threw, so that the engine stopped somewhere.
      this.onDefect(cause)
      this.destroy("a listener threw")
    }
    this.owner.reading = undefined
    if (this.unasked) this.close({ _tag: "Error", code: Code.Internal, detail: "bytes came that no call waits for" })
    else if (!this.connection.usable) this.owner.settle(this)
  }

  /** A message has begun where no answer can come. The engine tells of whole ones. */
  private get unasked(): boolean {
    const { active, learned, mayBeLate, midMessage } = this.connection
    return midMessage && active === 0 && !mayBeLate && learned !== true && this.owner.mode !== "multiplexed"
  }

  explain(end: ConnectionEnd): ConnectionEnd {
    return explained(end, this.first, this.socket.secure, speaksThrift)
  }

  onCallEnded(): void {
    this.owner.settle(this)
  }

  onRoom(): void {
    this.owner.settle(this)
  }

  override onClose(end: ConnectionEnd): void {
    super.onClose(end)
    this.owner.leave(this)
    this.wake()
  }

  // ---- time

  protected onAged(): void {
    this.owner.retire(this)
  }

  override timers(): Array<Timer> {
    return [
      ...super.timers(),
      {
        timeout: this.maxIdleTime,
        since: () => (this.place === "idle" ? this.idleSince : undefined),
        expire: () => {
          this.idleSince = this.now()
          this.owner.expire(this)
        }
      }
    ]
  }
}
