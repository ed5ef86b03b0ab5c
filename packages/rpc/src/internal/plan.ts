/**
 * What both ends need of a method at run time: its path, its codecs, the wrapper structs of unary and PingPong.
 *
 * @internal
 */
import * as Codec from "@millrace/codec/Codec"
import type { Decode, Encode } from "@millrace/transport/RawStream"
import * as Exit from "effect/Exit"
import type * as Method from "../Method.ts"
import type * as Service from "../Service.ts"

/** The value of a result struct: `success`, or one declared exception under its name. @internal */
export type Result = { readonly [member: string]: unknown }

/** @internal */
export interface MethodPlan {
  readonly service: Service.Any
  readonly method: Method.Any
  readonly path: string
  /** A message of a streaming mode or of unary; the arguments by name for the others. */
  readonly encodeRequest: Encode<unknown>
  readonly decodeRequest: Decode<unknown>
  /** A message of a streaming mode; a {@link Result} for the others. */
  readonly encodeResponse: Encode<unknown>
  readonly decodeResponse: Decode<unknown>
  /** The name of the declared exception that `error` is an instance of. */
  readonly exceptionOf: (error: unknown) => string | undefined
  readonly exceptions: ReadonlyArray<string>
}

// A codec puts its compiled functions in place at the first use, so it is called and never taken apart.
const encoder =
  <A>(codec: Codec.Codec<A>): Encode<unknown> =>
  (message, out) =>
    codec.encodeInto(message as A, out)

const decoder = <A>(
  codec: Codec.Codec<A>,
  read: Decode<unknown> = (bytes, start, end) => codec.decodeFrom(bytes, start, end)
): Decode<unknown> => Object.defineProperty(read, "keepsBytes", { get: () => codec.keepsBytes })

/** @internal */
export const make = (service: Service.Any, method: Method.Any): MethodPlan => {
  const path = `/${service.package === "" ? "" : `${service.package}.`}${service.name_}/${method.name}`
  if (method.mode === "bidirectional" || method.mode === "client" || method.mode === "server") {
    const request = Codec.make(method.request!)
    const response = Codec.make(method.response!)
    return {
      service,
      method,
      path,
      encodeRequest: encoder(request),
      decodeRequest: decoder(request),
      encodeResponse: encoder(response),
      decodeResponse: decoder(response),
      exceptionOf: () => undefined,
      exceptions: []
    }
  }
  const args = Codec.args(`${service.name_}.${method.name}`, method.args)
  const result = Codec.result(`${service.name_}.${method.name}`, method.response, method.exceptions)
  const classes = Object.entries(method.exceptions)
  const unary = method.mode === "unary"
  // An exception may be called `constructor`: every object has one.
  const inherits = classes.some(([name]) => name in Object.prototype)
  return {
    service,
    method,
    path,
    encodeRequest: unary ? (message, out) => args.encodeInto({ req: message }, out) : encoder(args),
    decodeRequest: unary ? decoder(args, (bytes, start, end) => args.decodeFrom(bytes, start, end).req) : decoder(args),
    encodeResponse: inherits
      ? (message, out) => result.encodeInto(Object.assign(Object.create(null), message), out)
      : encoder(result),
    decodeResponse: decoder(result),
    exceptionOf: (error) => exceptionName(method, error),
    exceptions: classes.map(([name]) => name)
  }
}

/** The name of the declared exception that an error is an instance of. @internal */
export const exceptionName = (method: Method.Any, error: unknown): string | undefined => {
  for (const name in method.exceptions) {
    const schema: unknown = method.exceptions[name]!.schema
    if (typeof schema === "function" && error instanceof schema) return name
  }
  return undefined
}

/** The declared exception of a result, which counts also when a success stands beside it. @internal */
export const exceptionIn = (exceptions: ReadonlyArray<string>, result: Result): object | undefined => {
  for (let i = 0; i < exceptions.length; i++) {
    const name = exceptions[i]!
    const exception = Object.hasOwn(result, name) ? result[name] : undefined
    if (exception !== undefined) return exception as object
  }
  return undefined
}

/** What a caller gets of a result: its success, or its declared exception as the failure. @internal */
export const answerIn = (exceptions: ReadonlyArray<string>, result: Result): Exit.Exit<unknown, object> => {
  const exception = exceptionIn(exceptions, result)
  return exception === undefined ? Exit.succeed(result["success"]) : Exit.fail(exception)
}

/** The result without a value. @internal */
export const noResult: Result = {}

/** The result of a handler that succeeded. @internal */
export const resultOf = (method: Method.Any, success: unknown): Result =>
  method.response === undefined ? noResult : { success }
