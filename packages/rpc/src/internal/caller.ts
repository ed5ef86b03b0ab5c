/**
 * What all calls of one client share, and how a call comes to be: deadline, instance, stream, scope.
 *
 * @internal
 */
import type { OpenRequest } from "@millrace/transport/Transport"
import { ClientTransport } from "@millrace/transport/Transport"
import type { MetadataEntries } from "@millrace/transport/Metadata"
import type { RawClientStream } from "@millrace/transport/RawStream"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { CallError } from "../ClientStream.ts"
import * as Deadline from "../Deadline.ts"
import * as Endpoints from "../Endpoints.ts"
import type * as Method from "../Method.ts"
import type { RpcError } from "../RpcError.ts"
import { type RpcTracer, Tracers } from "../RpcTracer.ts"
import type * as Service from "../Service.ts"
import type { CallOptions, StreamClientOptions } from "../StreamOptions.ts"
import { type Budgets, defaultStallWarning, millis } from "./budgets.ts"
import { ClientCall } from "./clientCall.ts"
import { ClientMethod } from "./clientMethod.ts"
import type { Environment } from "./duplex.ts"
import * as errors from "./errors.ts"
import { Lifecycle } from "./lifecycle.ts"
import { Timers } from "./timers.ts"
import { tracedCall } from "./tracedCall.ts"
import { UnaryCall, type UnaryError } from "./unaryCall.ts"

/** The options of a call with their durations in milliseconds; 0 is none. */
interface Settings extends Omit<Budgets, "deadline"> {
  readonly timeout: number
  readonly connectTimeoutMillis: number | undefined
  readonly compressor: "gzip" | undefined
}

const settingsOf = (options: StreamClientOptions | CallOptions): Settings => ({
  // A timeout of zero has passed: it must not mean "none".
  timeout: options.timeout === undefined ? Infinity : Duration.toMillis(Duration.fromInputUnsafe(options.timeout)),
  firstMessage: millis(options.firstMessageTimeout),
  recv: millis(options.recvTimeout),
  send: millis(options.sendTimeout),
  stallWarning: millis(options.stallWarning, defaultStallWarning),
  connectTimeoutMillis: options.connectTimeout === undefined ? undefined : millis(options.connectTimeout) || undefined,
  compressor: options.compressor
})

const noOptions: CallOptions = {}

/** @internal */
export class Caller {
  readonly #service: Service.Any
  readonly #options: StreamClientOptions
  readonly #settings: Settings
  readonly #endpoints: Endpoints.Endpoints
  readonly #transport: ClientTransport["Service"]
  readonly #env: Environment
  readonly #tracers: ReadonlyArray<RpcTracer>
  readonly #authority: string

  constructor(
    service: Service.Any,
    options: StreamClientOptions,
    transport: ClientTransport["Service"],
    env: Environment,
    tracers: ReadonlyArray<RpcTracer>
  ) {
    this.#service = service
    this.#options = options
    this.#settings = settingsOf(options)
    this.#endpoints = options.endpoints ?? Endpoints.fromHostPorts(options.hostPorts ?? ["memory"])
    this.#transport = transport
    this.#env = env
    this.#tracers = tracers
    this.#authority = options.destService ?? service.name_
  }

  method(method: Method.Any): ClientMethod {
    return new ClientMethod(this.#service, method)
  }

  /** Opens a stream in the scope of the fiber. */
  open(method: ClientMethod, options: CallOptions = noOptions): Effect.Effect<ClientCall, CallError, Scope.Scope> {
    return Effect.withFiber((fiber) => {
      const scope = Context.getUnsafe(fiber.context, Scope.Scope)
      const lifecycle = new Lifecycle(this.#tracers, this.#env.timers, method.unplaced)
      let call: ClientCall | undefined
      const close = (exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> =>
        call === undefined ? finishUnopened(lifecycle, exit) : call.close(exit)
      // The step that opens the raw stream also hands it to the scope: an interruption between the two would leave it
      // open.
      const start = (raw: RawClientStream, address: string, deadline: number): ClientCall => {
        lifecycle.info = method.info(address)
        return (call = new ClientCall(
          this.#env,
          lifecycle.info,
          raw,
          method.plan,
          { ...this.#settingsFor(options), deadline },
          lifecycle,
          options.onHeader,
          options.onTrailer
        ))
      }
      const opened = this.#openRaw(fiber, method, options, start)
      if (this.#tracers.length === 0) return Effect.andThen(Scope.addFinalizerExit(scope, close), opened)
      // Nothing comes between a start and the promise of its finish.
      return Effect.uninterruptibleMask((restore) =>
        Effect.andThen(
          Effect.andThen(lifecycle.start(), Scope.addFinalizerExit(scope, close)),
          // A call that could not be made is finished where it failed: its scope may live on.
          Effect.onExit(restore(opened), (exit) =>
            Exit.isSuccess(exit) ? Effect.void : finishUnopened(lifecycle, exit)
          )
        )
      )
    })
  }

  /** A unary call. */
  unary(method: ClientMethod, request: unknown, options: CallOptions = noOptions): Effect.Effect<unknown, UnaryError> {
    return Effect.withFiber((fiber) => {
      if (this.#tracers.length === 0) return this.#runUnary(fiber, method, request, options, undefined)
      const lifecycle = new Lifecycle(this.#tracers, this.#env.timers, method.unplaced)
      return tracedCall(
        lifecycle,
        Effect.suspend(() => this.#runUnary(fiber, method, request, options, lifecycle))
      )
    })
  }

  #runUnary(
    fiber: Fiber.Fiber<unknown, unknown>,
    method: ClientMethod,
    request: unknown,
    options: CallOptions,
    lifecycle: Lifecycle | undefined
  ): Effect.Effect<unknown, UnaryError> {
    const start = (raw: RawClientStream, address: string, deadline: number): UnaryCall => {
      const info = method.info(address)
      const call = new UnaryCall(
        info,
        raw,
        method.plan,
        this.#env.timers,
        deadline,
        this.#settingsFor(options),
        options.onHeader,
        options.onTrailer
      )
      if (lifecycle !== undefined) {
        lifecycle.info = info
        lifecycle.counts = call
      }
      return call
    }
    // The step that opens the raw stream is also the one that can be interrupted: nothing is left open between two
    // steps.
    return Effect.callback((resume) => {
      const address = options.hostPort ?? this.#endpoints.pick(method.unplaced)
      if (typeof address === "string") {
        const deadline = this.#deadline(fiber, options)
        const now = deadline < Infinity ? this.#env.timers.now() : 0
        if (deadline <= now) return resume(Effect.fail(errors.deadlineExceeded(method.info(address))))
        const raw = this.#transport.tryOpen(this.#request(method, options, address, deadline, now))
        if (raw !== undefined) return start(raw, address, due(deadline)).run(request, resume)
      }
      let opened: UnaryCall | undefined
      resume(
        Effect.onInterrupt(
          Effect.flatMap(
            this.#openRaw(fiber, method, options, (raw, ...rest) => (opened = start(raw, ...rest)), address),
            (call) => Effect.callback<unknown, UnaryError>((resume) => call.run(request, resume))
          ),
          () => opened?.cancel ?? Effect.void
        )
      )
    })
  }

  #settingsFor(options: CallOptions): Settings {
    return options === noOptions ? this.#settings : settingsOf({ ...this.#options, ...options })
  }

  /** The absolute deadline of a call, infinite for none. */
  #deadline(fiber: Fiber.Fiber<unknown, unknown>, options: CallOptions): number {
    const inherited = fiber.getRef(Deadline.Current) ?? Infinity
    const timeout = "timeout" in options ? settingsOf(options).timeout : this.#settings.timeout
    return timeout === Infinity ? inherited : Math.min(this.#env.timers.now() + timeout, inherited)
  }

  #openRaw<A>(
    fiber: Fiber.Fiber<unknown, unknown>,
    method: ClientMethod,
    options: CallOptions,
    start: (raw: RawClientStream, address: string, deadline: number) => A,
    picked?: string | Effect.Effect<string, RpcError>
  ): Effect.Effect<A, RpcError> {
    return Effect.suspend(() => {
      const deadline = this.#deadline(fiber, options)
      const address = picked ?? options.hostPort ?? this.#endpoints.pick(method.unplaced)
      const open = (address: string): Effect.Effect<A, RpcError> => {
        const info = method.info(address)
        const now = this.#env.timers.now()
        // A call whose time is over must not touch the network.
        if (deadline <= now) return Effect.fail(errors.deadlineExceeded(info))
        const request = this.#request(method, options, address, deadline, now)
        const raw = this.#transport.tryOpen(request)
        if (raw !== undefined) return Effect.succeed(start(raw, address, due(deadline)))
        const opening = Effect.uninterruptible(
          Effect.matchEffect(Effect.interruptible(this.#transport.open(request)), {
            onFailure: (error) => Effect.fail(errors.fromTransport(info, error)),
            onSuccess: (raw) => Effect.succeed(start(raw, address, due(deadline)))
          })
        )
        return deadline === Infinity
          ? opening
          : Effect.timeoutOrElse(opening, {
              duration: deadline - now,
              orElse: () => Effect.fail(errors.deadlineExceeded(info))
            })
      }
      return typeof address === "string" ? open(address) : Effect.flatMap(address, open)
    })
  }

  #request(method: ClientMethod, options: CallOptions, address: string, deadline: number, now: number): OpenRequest {
    const { compressor, connectTimeoutMillis } = this.#settingsFor(options)
    return {
      address,
      path: method.plan.path,
      authority: this.#authority,
      timeoutMillis: deadline < Infinity ? deadline - now : undefined,
      metadata: options.metadata === undefined ? undefined : entries(options.metadata),
      compressor,
      connectTimeoutMillis
    }
  }

  /**
   * Sends a stream of requests beside the call, half-closing behind the last. `wrap` makes the failure of the request
   * stream the failure of whoever reads the responses.
   */
  sendStream<R>(
    call: ClientCall,
    requests: Stream.Stream<unknown, unknown, R>
  ): Effect.Effect<
    { readonly wrap: <A, E>(self: Effect.Effect<A, E>) => Effect.Effect<A, E> },
    never,
    R | Scope.Scope
  > {
    let failure: Cause.Cause<unknown> | undefined
    const sending = Stream.runForEachArray(requests, (messages) => call.sendAll(messages)).pipe(
      Effect.andThen(call.closeSend),
      Effect.catchCause((cause) =>
        Effect.suspend(() => {
          if (call.over) return Effect.void
          failure = cause
          return call.end("explicit", errors.cancelled(call.info), Exit.fail(errors.cancelled(call.info)))
        })
      )
    )
    return Effect.as(Effect.forkScoped(sending, { startImmediately: true }), {
      wrap: (self) => Effect.catchCause(self, (cause) => Effect.failCause((failure ?? cause) as typeof cause))
    })
  }
}

/** The deadline of a call that has not passed, as budgets have it. */
const due = (deadline: number): number => (deadline === Infinity ? 0 : deadline)

const finishUnopened = (lifecycle: Lifecycle, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> => {
  if (Exit.isSuccess(exit)) return lifecycle.finish("earlyEnd", Exit.void, undefined)
  if (Cause.hasInterruptsOnly(exit.cause)) return lifecycle.finish("interrupted", Exit.interrupt(), undefined)
  return lifecycle.finish("error", Exit.failCause(exit.cause as Cause.Cause<RpcError>), undefined)
}

const entries = (metadata: NonNullable<CallOptions["metadata"]>): MetadataEntries =>
  Object.entries(metadata).flatMap(([key, value]) => {
    const name = key.toLowerCase()
    const values = typeof value === "string" || value instanceof Uint8Array ? [value] : value
    return values.map((value) => [name, value] as const)
  })

/** @internal */
export const makeCaller = Effect.fnUntraced(function* (service: Service.Any, options: StreamClientOptions) {
  const transport = yield* ClientTransport
  const tracers = yield* Tracers
  const context = yield* Effect.context<never>()
  const clock = yield* Clock.Clock
  const runFork = Effect.runForkWith(context)
  const timers = new Timers(clock, runFork)
  yield* Effect.addFinalizer(() => Effect.sync(() => timers.close()))
  return new Caller(
    service,
    options,
    transport,
    {
      timers,
      messageTracers: tracers.filter((tracer) => tracer.streamSend !== undefined || tracer.streamRecv !== undefined),
      logStall: (message) => void runFork(Effect.logWarning(message))
    },
    tracers
  )
})
