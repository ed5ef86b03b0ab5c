/**
 * What a client does with a stream, as data: a Schema, so that property tests generate and shrink whole behaviours, and
 * an interpreter that always comes to an end.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Pull from "effect/Pull"
import * as Schema from "effect/Schema"
import type { Base, CallError } from "../ClientStream.ts"
import type * as Method from "../Method.ts"

/**
 * One step. `Recv` is `closeAndRecv` where a stream has no `recv`; a step that the stream does not have does nothing.
 *
 * @since 0.1.0
 * @category models
 */
export type Action<Req> =
  | { readonly _tag: "Send"; readonly message: Req }
  | { readonly _tag: "Recv" }
  | { readonly _tag: "CloseSend" }
  | { readonly _tag: "Cancel" }
  | { readonly _tag: "Finish" }
  | { readonly _tag: "Sleep"; readonly millis: number }

/**
 * The steps of a client, in order.
 *
 * @since 0.1.0
 * @category models
 */
export type StreamScript<Req> = ReadonlyArray<Action<Req>>

/**
 * What a step came to: `Done`, a message, the end of the stream, an error, or that nothing had happened in time.
 *
 * @since 0.1.0
 * @category models
 */
export type Outcome<Res> =
  | { readonly _tag: "Done" }
  | { readonly _tag: "Received"; readonly message: Res }
  | { readonly _tag: "Ended" }
  | { readonly _tag: "Failed"; readonly error: CallError }
  | { readonly _tag: "TimedOut" }

/**
 * What the interpreter uses of a handle; those of every mode fit.
 *
 * @since 0.1.0
 * @category models
 */
export interface Handle<Req, Res> extends Pick<Base, "cancel" | "finish"> {
  readonly send?: (message: Req) => Effect.Effect<void, CallError>
  readonly recv?: Pull.Pull<Res, CallError>
  readonly closeSend?: Effect.Effect<void, CallError>
  readonly closeAndRecv?: Effect.Effect<Res, CallError>
}

/**
 * Scripts for a method: every step that its mode has.
 *
 * @since 0.1.0
 * @category schemas
 */
export const schema = <M extends Method.Any & { readonly request: Schema.Top }>(
  method: M
): Schema.Schema<StreamScript<M["request"]["Type"]>> => {
  const sends = { Send: { message: method.request } }
  const always = {
    Recv: {},
    Cancel: {},
    Finish: {},
    Sleep: { millis: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 50 })) }
  }
  const steps =
    method.mode === "server"
      ? Schema.TaggedUnion(always)
      : method.mode === "client"
        ? Schema.TaggedUnion({ ...sends, ...always })
        : Schema.TaggedUnion({ ...sends, CloseSend: {}, ...always })
  return Schema.Array(steps as Schema.Top) as never
}

/**
 * Runs a script. No step waits longer than `wait` (default 1 second), so that a script comes to an end whatever the
 * peer does; it gives what each step came to.
 *
 * **Example** (A script by hand)
 *
 * ```ts
 * import { Thrift } from "@millrace/codec"
 * import { Method, Service } from "@millrace/rpc"
 * import { StreamScript, Testing } from "@millrace/rpc/testing"
 * import { Effect } from "effect"
 *
 * class Request extends Thrift.Struct<Request>("echo.Request")({ message: Thrift.optional(1, Thrift.String) }) {}
 * class TestService extends Service.make("TestService", {
 *   methods: [Method.bidirectional("Echo", { request: Request, response: Request })]
 * }) {}
 *
 * const test = Effect.gen(function*() {
 *   const client = yield* Testing.client(TestService, { Echo: (requests) => requests })
 *   const stream = yield* client.Echo.open()
 *   return yield* StreamScript.run(stream, [
 *     { _tag: "Send", message: new Request({ message: "a" }) },
 *     { _tag: "Recv" },
 *     { _tag: "Cancel" }
 *   ])
 * }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 * @category running
 */
export const run = <Req, Res>(
  stream: Handle<Req, Res>,
  script: StreamScript<Req>,
  options: { readonly wait?: Duration.Input } = {}
): Effect.Effect<ReadonlyArray<Outcome<Res>>> =>
  Effect.forEach(script, (action) => {
    const effect = step(stream, action)
    return action._tag === "Sleep"
      ? effect
      : Effect.timeoutOrElse(effect, {
          duration: options.wait ?? "1 second",
          orElse: () => Effect.succeed<Outcome<Res>>({ _tag: "TimedOut" })
        })
  })

const step = <Req, Res>(stream: Handle<Req, Res>, action: Action<Req>): Effect.Effect<Outcome<Res>> => {
  switch (action._tag) {
    case "Send":
      return outcome(stream.send?.(action.message))
    case "Recv":
      return outcome(stream.recv ?? stream.closeAndRecv, (message) => ({ _tag: "Received", message }))
    case "CloseSend":
      return outcome(stream.closeSend)
    case "Cancel":
      return outcome(stream.cancel)
    case "Finish":
      return outcome(stream.finish())
    case "Sleep":
      return outcome(Effect.sleep(action.millis))
  }
}

const done: { readonly _tag: "Done" } = { _tag: "Done" }

const outcome = <A, Res>(
  effect: Effect.Effect<A, CallError | Cause.Done> | undefined,
  onSuccess: (value: A) => Outcome<Res> = () => done
): Effect.Effect<Outcome<Res>> => {
  if (effect === undefined) return Effect.succeed(done)
  return Effect.flatMap(Effect.exit(effect), (exit) => {
    if (Exit.isSuccess(exit)) return Effect.succeed(onSuccess(exit.value))
    const failure = exit.cause.reasons.find(Cause.isFailReason)
    if (failure === undefined) return Effect.failCause(exit.cause as Cause.Cause<never>)
    return Effect.succeed<Outcome<Res>>(
      Cause.isDone(failure.error) ? { _tag: "Ended" } : { _tag: "Failed", error: failure.error }
    )
  })
}
