/**
 * A PingPong call without a stream, a scope or a generator: a lease, one message out, one answer back. It resumes its
 * fiber once, inside the read that brought the answer.
 *
 * @internal
 */
import * as BizStatus from "@millrace/transport/BizStatus"
import { empty, fromStrings, type Metadata } from "@millrace/transport/Metadata"
import type {
  CallLease,
  CallTarget,
  OutgoingCall,
  RawClientCall,
  RawReply,
  ReplyListener
} from "@millrace/transport/RawCall"
import type { ClientTransport } from "@millrace/transport/Transport"
import type { TransportError } from "@millrace/transport/TransportError"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { BizStatusError } from "../BizStatusError.ts"
import type { ClientCallOptions } from "../ClientOptions.ts"
import type { CallError } from "../ClientStream.ts"
import type { Endpoints } from "../Endpoints.ts"
import type { RpcError } from "../RpcError.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import { reserved } from "./answerStrings.ts"
import type { CallHeaders } from "./callHeaders.ts"
import type { ClientMethod } from "./clientMethod.ts"
import * as errors from "./errors.ts"
import { CurrentCall } from "./forkedDefects.ts"
import type { Counts, Lifecycle } from "./lifecycle.ts"
import { exceptionIn, type Result } from "./plan.ts"
import * as replyErrors from "./replyErrors.ts"
import type { Timer, Timers } from "./timers.ts"

/** @internal */
export type PingPongError = CallError | object

/** What all calls of a client share. @internal */
export interface CallEnvironment {
  readonly transport: ClientTransport["Service"]
  readonly endpoints: Endpoints
  readonly timers: Timers
  readonly destService: string
  readonly failsMissingResult: boolean
}

/** The options of a call: its timeout in milliseconds is infinite for none. @internal */
export interface CallSettings {
  readonly rpcTimeout: number
  readonly connectTimeoutMillis: number | undefined
  readonly encoding: CallTarget["encoding"]
  readonly connection: CallTarget["connection"]
}

type Outcome = Effect.Effect<unknown, PingPongError>

// A connection that the pool holds may be dead: one that never took a byte costs another try, and only so many.
const maxTries = 3

/** @internal */
export class PingPongCall implements ReplyListener, Timer, Counts {
  at = 0
  index = -1
  sendCount = 0
  recvCount = 0
  sendBytes = 0
  recvBytes = 0
  readonly #env: CallEnvironment
  readonly #method: ClientMethod
  readonly #headers: CallHeaders
  readonly #settings: CallSettings
  readonly #options: ClientCallOptions
  readonly #args: unknown
  readonly #fiber: Fiber.Fiber<unknown, unknown>
  readonly #lifecycle: Lifecycle | undefined
  /** When the call began; 0 while nothing asks. */
  readonly #startedAt: number
  /** When it ends, answered or not: by its own timeout or by the deadline that its fiber inherited. */
  readonly #due: number
  readonly #ownTimeout: boolean
  #info: RpcInfo
  #tries = 0
  #leasing: Fiber.Fiber<void> | undefined
  #raw: RawClientCall | undefined
  #resume: ((outcome: Outcome) => void) | undefined

  constructor(
    env: CallEnvironment,
    method: ClientMethod,
    headers: CallHeaders,
    settings: CallSettings,
    options: ClientCallOptions,
    args: unknown,
    fiber: Fiber.Fiber<unknown, unknown>,
    inherited: number | undefined,
    lifecycle: Lifecycle | undefined
  ) {
    this.#env = env
    this.#method = method
    this.#headers = headers
    this.#settings = settings
    this.#options = options
    this.#args = args
    this.#fiber = fiber
    this.#lifecycle = lifecycle
    this.#info = method.unplaced
    const timeout = settings.rpcTimeout
    this.#startedAt = timeout === Infinity && inherited === undefined ? 0 : env.timers.now()
    const own = this.#startedAt + timeout
    this.#ownTimeout = inherited === undefined || own <= inherited
    this.#due = this.#ownTimeout ? own : inherited!
    if (lifecycle !== undefined) lifecycle.counts = this
  }

  /** Sends the call and resumes once; gives what to do when the fiber is interrupted meanwhile. */
  run(resume: (outcome: Outcome) => void): Effect.Effect<void> | undefined {
    this.#resume = resume
    // A call whose time is over must not touch the network.
    if (this.#due <= this.#startedAt) return this.#settle(Effect.fail(this.#overdue()))
    const address = this.#options.hostPort ?? this.#env.endpoints.pick(this.#method.unplaced)
    if (this.#due < Infinity) this.#env.timers.arm(this, this.#due)
    if (typeof address === "string") this.#lease(this.#place(address))
    else this.#wait(Effect.flatMap(address, (picked) => this.#dial(this.#place(picked))))
    return this.#resume === undefined ? undefined : Effect.suspend(() => this.#cancel())
  }

  fire(): undefined {
    const resume = this.#resume
    if (resume === undefined) return
    this.#resume = undefined
    this.#leasing?.interruptUnsafe()
    this.#raw?.abandon()
    resume(Effect.fail(this.#overdue()))
  }

  onReply(reply: RawReply): void {
    this.recvCount = 1
    this.recvBytes = reply.size
    const outcome = this.#outcome(reply)
    const { onHeader, onTrailer } = this.#options
    if (onHeader === undefined && onTrailer === undefined) return this.#settle(outcome)
    const strings = reply.header?.strings
    const metadata = strings === undefined ? empty : fromStrings(strings, reserved)
    // In the fiber: what these throw is a defect of the call.
    this.#settle(Effect.suspend(() => tell(onHeader, onTrailer, metadata, outcome)))
  }

  onSent(): void {
    this.#settle(Effect.void)
  }

  onFailed(error: TransportError): void {
    const { reason } = error
    if (this.#resume === undefined) return
    if (reason._tag === "ConnectionLost" && reason.neverSent === true && this.#tries < maxTries) {
      this.#raw = undefined
      this.#lease(this.#place(this.#info.address))
    } else this.#settle(Effect.fail(errors.fromTransport(this.#info, error)))
  }

  #cancel(): Effect.Effect<void> {
    this.#resume = undefined
    this.#env.timers.disarm(this)
    this.#raw?.abandon()
    return this.#leasing === undefined ? Effect.void : Fiber.interrupt(this.#leasing)
  }

  #place(address: string): CallTarget {
    const { connectTimeoutMillis, connection, encoding } = this.#settings
    this.#info = this.#method.info(address)
    if (this.#lifecycle !== undefined) this.#lifecycle.info = this.#info
    return { address, encoding, connection, connectTimeoutMillis }
  }

  #lease(target: CallTarget): void {
    const lease = this.#env.transport.tryLease(target)
    if (lease === undefined) this.#wait(this.#dial(target))
    else this.#send(lease)
  }

  #dial(target: CallTarget): Effect.Effect<CallLease, RpcError> {
    return Effect.mapError(this.#env.transport.lease(target), (error) => errors.fromTransport(this.#info, error))
  }

  /**
   * Waits beside the fiber of the call, so that one timer covers all of it. The step that ends the wait uses the lease or
   * gives it back: it is never held between two steps.
   */
  #wait(lease: Effect.Effect<CallLease, RpcError>): void {
    const taken = Effect.map(Effect.exit(Effect.interruptible(lease)), (exit) => {
      this.#leasing = undefined
      if (Exit.isFailure(exit)) this.#settle(Effect.failCause(exit.cause))
      else if (this.#resume === undefined) exit.value.release()
      else this.#send(exit.value)
    })
    const fiber = Effect.runForkWith(this.#fiber.context)(taken, { uninterruptible: true })
    if (fiber.pollUnsafe() === undefined) this.#leasing = fiber
  }

  #send(lease: CallLease): void {
    const { encodeRequest, method } = this.#method.plan
    const { connectTimeoutMillis, encoding } = this.#settings
    const tries = ++this.#tries
    const call: OutgoingCall<unknown> = {
      method: method.name,
      oneway: method.mode === "oneway",
      header: this.#headers.get(
        encoding === "ttheader-framed",
        this.#timeoutMillis(),
        connectTimeoutMillis,
        this.#fiber.getRef(CurrentCall)?.info.method ?? ""
      ),
      args: this.#args,
      encode: encodeRequest,
      listener: this
    }
    let raw: RawClientCall
    try {
      raw = lease.send(call)
    } catch (thrown) {
      return this.#settle(Effect.suspend(() => Effect.fail(errors.fromCodec(this.#info, thrown))))
    }
    this.sendCount = 1
    this.sendBytes = raw.sentBytes
    // The connection may have failed meanwhile, and another have taken the call, or be waited for.
    if (this.#resume !== undefined && this.#tries === tries && this.#leasing === undefined) this.#raw = raw
  }

  /**
   * What the server is told of the timeout, in whole milliseconds: the option as it was set, as Kitex does, or what is left of an
   * earlier deadline.
   */
  #timeoutMillis(): number | undefined {
    if (this.#due === Infinity) return undefined
    const left = this.#ownTimeout ? this.#settings.rpcTimeout : this.#due - this.#env.timers.now()
    return Math.max(1, this.#ownTimeout ? Math.ceil(left) : Math.floor(left))
  }

  #settle(outcome: Outcome): undefined {
    const resume = this.#resume
    if (resume === undefined) return
    this.#resume = undefined
    this.#env.timers.disarm(this)
    resume(outcome)
  }

  #overdue(): RpcError {
    const { rpcTimeout } = this.#settings
    if (this.#ownTimeout) {
      return replyErrors.rpcTimeout(this.#info, this.#env.destService, rpcTimeout, this.#raw !== undefined)
    }
    if (rpcTimeout === Infinity) return errors.deadlineExceeded(this.#info)
    const actual = this.#due - this.#startedAt
    return replyErrors.deadlineBeforeTimeout(this.#info, this.#env.destService, rpcTimeout, actual)
  }

  #outcome(reply: RawReply): Outcome {
    if (reply.exception !== undefined) {
      const millis = this.#due === Infinity ? 0 : this.#due - this.#startedAt
      return Effect.fail(replyErrors.exceptionError(this.#info, reply.exception, millis))
    }
    const biz = reply.header === undefined ? undefined : BizStatus.fromStrings(reply.header.strings)
    if (biz !== undefined) {
      return Effect.fail(new BizStatusError({ statusCode: biz.code, statusMessage: biz.message, extra: biz.extra }))
    }
    const plan = this.#method.plan
    let result: Result
    try {
      result = reply.take(plan.decodeResponse) as Result
    } catch (thrown) {
      return Effect.suspend(() => Effect.fail(errors.fromCodec(this.#info, thrown)))
    }
    const exception = exceptionIn(plan, result)
    if (exception !== undefined) return Effect.fail(exception)
    const success = result["success"]
    if (success === undefined && this.#env.failsMissingResult && plan.method.response !== undefined) {
      return Effect.fail(replyErrors.missingResult(this.#info))
    }
    return Effect.succeed(success)
  }
}

const tell = (
  onHeader: ClientCallOptions["onHeader"],
  onTrailer: ClientCallOptions["onTrailer"],
  metadata: Metadata,
  outcome: Outcome
): Outcome => {
  onHeader?.(metadata)
  onTrailer?.(metadata)
  return outcome
}
