/**
 * A PingPong call without a stream, a scope or a generator: a lease, one message out, one answer back. It resumes its
 * fiber once, inside the read that brought the answer.
 *
 * @internal
 */
import * as BizStatus from "@millrace/transport/BizStatus"
import { empty, fromStrings, type Metadata } from "@millrace/transport/Metadata"
import type {
  CallEntries,
  CallHeader,
  CallHeaderFields,
  CallLease,
  CallTarget,
  OutgoingCall,
  RawClientCall,
  RawReply,
  ReplyListener
} from "@millrace/transport/RawCall"
import type { TransportError } from "@millrace/transport/TransportError"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { BizStatusError } from "../BizStatusError.ts"
import type { ClientCallOptions } from "../ClientOptions.ts"
import type { CallError } from "../ClientStream.ts"
import * as Deadline from "../Deadline.ts"
import type { RpcError } from "../RpcError.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import { reserved } from "./answerStrings.ts"
import * as callContext from "./callContext.ts"
import type { CallHeaders } from "./callHeaders.ts"
import * as callMeta from "./callMeta.ts"
import type { ClientMethod } from "./clientMethod.ts"
import * as errors from "./errors.ts"
import { CurrentCall } from "./currentCall.ts"
import { servedMethod } from "./hops.ts"
import * as outgoing from "./outgoing.ts"
import { exceptionIn, noResult, type Result } from "./plan.ts"
import type { CallEnvironment, CallSettings, PingPongError, Whole } from "./pingPongEnvironment.ts"
import * as replyErrors from "./replyErrors.ts"
import type { Placement } from "./placement.ts"
import type { Timer } from "./timers.ts"

type Outcome = Effect.Effect<unknown, PingPongError>

// A connection that the pool holds may be dead: one that never took a byte costs another try, and only so many.
const maxTries = 3

/** @internal */
export class PingPongCall implements ReplyListener, Timer {
  at = 0
  index = -1
  readonly #env: CallEnvironment
  readonly #method: ClientMethod
  readonly #headers: CallHeaders
  readonly #settings: CallSettings
  readonly #options: ClientCallOptions
  readonly #args: unknown
  readonly #fiber: Fiber.Fiber<unknown, unknown>
  readonly #whole: Whole | undefined
  /** An address, or who chooses one. */
  readonly #where: string | Placement
  /** Who hears that there is a connection. */
  readonly #placement: Placement | undefined
  /** When the call began; 0 while nothing asks. */
  readonly #startedAt: number
  /** When it ends, answered or not: by its own timeout or by the deadline that its fiber inherited. */
  readonly #due: number
  readonly #ownTimeout: boolean
  #info: RpcInfo
  /** How often it was sent at this instance. */
  #tries = 0
  #sends = 0
  /** The last of these that never left, nor did those before it. */
  #lost = 0
  /** What the hooks have made of the string keys. */
  #strings: CallEntries | undefined
  #waiting: Fiber.Fiber<void> | undefined
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
    where: string | Placement,
    placement: Placement | undefined,
    whole?: Whole
  ) {
    this.#env = env
    this.#method = method
    this.#headers = headers
    this.#settings = settings
    this.#options = options
    this.#args = args
    this.#fiber = fiber
    this.#whole = whole
    this.#where = where
    this.#placement = placement
    const inherited = fiber.getRef(Deadline.Current)
    const timeout = settings.rpcTimeout
    this.#startedAt = timeout === Infinity && inherited === undefined ? 0 : (whole?.startedAt ?? env.timers.now())
    const own = this.#startedAt + timeout
    this.#ownTimeout = inherited === undefined || own <= inherited
    this.#due = this.#ownTimeout ? own : inherited!
    this.#info = whole?.info ?? placement?.info ?? method.unplaced
    // That of an attempt before this.
    if (whole !== undefined) whole.info.bizError = undefined
  }

  /** Sends the call and resumes once; gives what to do when the fiber is interrupted meanwhile. */
  run(resume: (outcome: Outcome) => void): Effect.Effect<void> | undefined {
    this.#resume = resume
    // A call whose time is over must not touch the network.
    if (this.#due <= this.#startedAt) return this.#settle(Effect.fail(this.#overdue()))
    if (this.#due < (this.#whole?.endsAt ?? Infinity)) this.#env.timers.arm(this, this.#due)
    this.#start()
    return this.#resume === undefined ? undefined : Effect.suspend(() => this.#cancel())
  }

  #start(): void {
    let address: string | Effect.Effect<string, RpcError>
    try {
      address = typeof this.#where === "string" ? this.#where : this.#where.choose()
    } catch (defect) {
      // Behind a dial that failed nobody else hears of it.
      return this.#settle(Effect.die(defect))
    }
    if (typeof address === "string") return this.#lease(this.#place(address))
    this.#wait(address, (exit) => {
      if (Exit.isFailure(exit)) this.#settle(Effect.failCause(exit.cause))
      else if (this.#resume !== undefined) this.#lease(this.#place(exit.value))
    })
  }

  fire(): undefined {
    const resume = this.#resume
    if (resume === undefined) return
    this.#resume = undefined
    this.#waiting?.interruptUnsafe()
    this.#raw?.abandon()
    resume(Effect.fail(this.#overdue()))
  }

  onReply(reply: RawReply): void {
    if (this.#whole !== undefined) {
      this.#whole.recvCount++
      this.#whole.recvBytes += reply.size
    }
    const outcome = this.#outcome(reply)
    const { header } = reply
    if (header !== undefined && header.strings.size > 0) this.#keepBackward(header)
    const { onHeader, onTrailer } = this.#options
    const read = header !== undefined && this.#env.readers.length > 0
    if (!read && onHeader === undefined && onTrailer === undefined) return this.#settle(outcome)
    const metadata = header === undefined ? empty : fromStrings(header.strings, reserved, header.repeated)
    // In the fiber: what the functions of the options throw is a defect of the call.
    this.#settle(Effect.suspend(() => this.#tell(metadata, read, outcome)))
  }

  onSent(): void {
    this.#settle(this.#whole === undefined ? Effect.void : nothing)
  }

  onFailed(error: TransportError): void {
    const { reason } = error
    if (this.#resume === undefined) return
    if (reason._tag === "ConnectionLost" && reason.neverSent === true) {
      this.#unsent()
      if (this.#tries < maxTries) return this.#lease(this.#place(this.#info.address))
    }
    this.#unconnected(errors.fromTransport(this.#info, error))
  }

  /** The connection that the pool had was none. */
  #unsent(): void {
    this.#lost = this.#sends
    this.#placement?.disconnected()
    this.#whole?.disconnected()
    const raw = this.#raw
    this.#raw = undefined
    if (raw === undefined || this.#whole === undefined) return
    this.#whole.sendCount--
    this.#whole.sendBytes -= raw.sentBytes
  }

  /** Another instance may take a call of which nothing was sent. */
  #unconnected(error: RpcError): void {
    if (this.#resume === undefined) return
    if (typeof this.#where === "string" || !this.#where.failed(error)) return this.#settle(this.#failed(error))
    this.#tries = 0
    this.#start()
  }

  #cancel(): Effect.Effect<void> {
    this.#resume = undefined
    this.#env.timers.disarm(this)
    this.#raw?.abandon()
    return this.#waiting === undefined ? Effect.void : Fiber.interrupt(this.#waiting)
  }

  #place(address: string): CallTarget {
    const { connectTimeoutMillis, connection, encoding } = this.#settings
    this.#info = this.#method.placed(this.#info, address, this.#fiber)
    if (this.#placement !== undefined) this.#placement.info = this.#info
    return { address, encoding, connection, connectTimeoutMillis }
  }

  #lease(target: CallTarget): void {
    const lease = this.#env.transport.tryLease(target)
    if (lease !== undefined) return this.#send(lease)
    const dialled = Effect.mapError(this.#env.transport.lease(target), (error) =>
      errors.fromTransport(this.#info, error)
    )
    this.#wait(dialled, (exit) => {
      if (Exit.isSuccess(exit)) {
        if (this.#resume === undefined) exit.value.release()
        else this.#send(exit.value)
        return
      }
      const failure = errors.causeFailure(exit.cause)
      if (failure?.defect === false) this.#unconnected(failure.value as RpcError)
      else this.#settle(Effect.failCause(exit.cause))
    })
  }

  /**
   * Waits beside the fiber of the call, so that one timer covers all of it. The step that ends the wait uses what it waited for
   * or gives it back: a lease is never held between two steps.
   */
  #wait<A>(self: Effect.Effect<A, RpcError>, ended: (exit: Exit.Exit<A, RpcError>) => void): void {
    const taken = Effect.map(Effect.exit(Effect.interruptible(self)), (exit) => {
      this.#waiting = undefined
      ended(exit)
    })
    const fiber = Effect.runForkWith(this.#fiber.context)(taken, { uninterruptible: true })
    if (fiber.pollUnsafe() === undefined) this.#waiting = fiber
  }

  #send(lease: CallLease): void {
    const { encodeRequest, method } = this.#method.plan
    const sends = ++this.#sends
    this.#tries++
    this.#placement?.connected()
    this.#whole?.connected()
    let header: CallHeaderFields
    try {
      header = this.#header()
    } catch (thrown) {
      lease.release()
      return this.#settle(this.#failed(callMeta.failure(this.#info, thrown)))
    }
    const call: OutgoingCall<unknown> = {
      method: method.name,
      oneway: method.mode === "oneway",
      header,
      args: this.#args,
      encode: encodeRequest,
      listener: this
    }
    let raw: RawClientCall
    try {
      raw = lease.send(call)
    } catch (thrown) {
      return this.#settle(Effect.suspend(() => this.#failed(errors.fromCodec(this.#info, thrown))))
    }
    if (this.#whole !== undefined && this.#lost < sends) {
      this.#whole.sendCount++
      this.#whole.sendBytes += raw.sentBytes
    }
    // The connection may have failed meanwhile, and another have taken the call, or be waited for.
    if (this.#resume !== undefined && this.#lost < sends) this.#raw = raw
  }

  #header(): CallHeaderFields {
    const { connectTimeoutMillis, encoding } = this.#settings
    const { writers } = this.#env
    const handled = this.#fiber.getRef(CurrentCall)
    const said = outgoing.strings(this.#fiber, handled, this.#env.hops)
    if (writers.length > 0 && encoding.startsWith("ttheader")) {
      this.#strings ??= callMeta.write(writers, said?.strings ?? [], this.#info)
    }
    return this.#headers.get(
      encoding === "ttheader-framed",
      this.#timeoutMillis(),
      connectTimeoutMillis,
      servedMethod(handled),
      said?.logId,
      this.#strings ?? said?.strings
    )
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

  /** An error of the connection or of the answer, as the handler for those has it. */
  #failed(error: RpcError): Effect.Effect<never, CallError> {
    const { errorHandler } = this.#env
    // In the fiber: what it throws is a defect of the call.
    return errorHandler === undefined
      ? Effect.fail(error)
      : Effect.suspend(() => Effect.fail(errorHandler(error, this.#info)))
  }

  #overdue(): RpcError {
    return replyErrors.overdue(this.#info, this.#env.destService, this.#settings.rpcTimeout, {
      ownTimeout: this.#ownTimeout,
      millis: this.#due - this.#startedAt,
      sent: this.#raw !== undefined
    })
  }

  #outcome(reply: RawReply): Outcome {
    if (reply.exception !== undefined) {
      const millis = this.#due === Infinity ? 0 : this.#due - this.#startedAt
      return this.#failed(replyErrors.exceptionError(this.#info, reply.exception, millis, reply.header))
    }
    const biz = reply.header === undefined ? undefined : BizStatus.fromStrings(reply.header.strings)
    if (biz !== undefined) {
      const error = new BizStatusError({ statusCode: biz.code, statusMessage: biz.message, extra: biz.extra })
      if (this.#whole !== undefined) this.#whole.info.bizError = error
      return Effect.fail(error)
    }
    let result: Result
    try {
      result = reply.take(this.#method.plan.decodeResponse) as Result
    } catch (thrown) {
      return Effect.suspend(() => this.#failed(errors.fromCodec(this.#info, thrown)))
    }
    return this.#whole === undefined ? answerOf(result, this.#method, this.#info, this.#env) : Effect.succeed(result)
  }

  /** The string keys of an answer are the backward values of Kitex's metainfo. */
  #keepBackward(header: CallHeader): void {
    const backward = callContext.of(this.#fiber)?.backward
    if (backward === undefined) return
    for (const [key, value] of header.strings) if (!reserved.has(key)) backward.set(key, value)
  }

  #tell(metadata: Metadata, read: boolean, outcome: Outcome): Outcome {
    if (read) {
      try {
        for (const readMeta of this.#env.readers) readMeta(metadata, this.#info)
      } catch (thrown) {
        return this.#failed(callMeta.failure(this.#info, thrown))
      }
    }
    this.#options.onHeader?.(metadata)
    this.#options.onTrailer?.(metadata)
    return outcome
  }
}

const nothing: Effect.Effect<Result> = Effect.succeed(noResult)

/** What a caller gets of a result struct. @internal */
export const answerOf = (
  result: Result,
  { plan }: ClientMethod,
  info: RpcInfo,
  env: Pick<CallEnvironment, "failsMissingResult">
): Outcome => {
  const exception = exceptionIn(plan.exceptions, result)
  if (exception !== undefined) return Effect.fail(exception)
  const success = result["success"]
  if (success === undefined && env.failsMissingResult && plan.method.response !== undefined) {
    return Effect.fail(replyErrors.missingResult(info))
  }
  return Effect.succeed(success)
}
