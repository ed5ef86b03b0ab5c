/**
 * Middleware around messages that is a plain function: it is put into the codec of a stream, where it costs a call for
 * each message and keeps batches whole.
 *
 * @internal
 */
import type { Decode, Encode } from "@millrace/transport/RawStream"
import { BizStatusError } from "../BizStatusError.ts"
import type { CallError } from "../ClientStream.ts"
import type { RecvMiddleware, SendMiddleware, StreamContext } from "../Middleware.ts"
import { RpcError } from "../RpcError.ts"

/** @internal */
export type Plain = (message: unknown) => unknown

interface Any {
  readonly make: (stream: StreamContext, next: unknown) => unknown
}

/** @internal */
export const isCallError = (value: unknown): value is CallError =>
  value instanceof RpcError || value instanceof BizStatusError

/** @internal */
export const functionOf = (middleware: Any, stream: StreamContext): Plain => middleware.make(stream, undefined) as Plain

const inTurn = (middleware: ReadonlyArray<Any>, stream: StreamContext): Plain => {
  const functions = middleware.map((each) => functionOf(each, stream))
  if (functions.length === 1) return functions[0]!
  return (message) => {
    let result = message
    for (let i = 0; i < functions.length; i++) {
      result = functions[i]!(result)
      if (isCallError(result)) return result
    }
    return result
  }
}

/** A decoder that runs the functions on each message; it throws the error that refuses one. @internal */
export const decoding = (
  decode: Decode<unknown>,
  inside: ReadonlyArray<RecvMiddleware<unknown>>,
  stream: () => StreamContext
): Decode<unknown> => {
  let run: Plain | undefined
  const read: Decode<unknown> = (bytes, start, end) => {
    const message = decode(bytes, start, end)
    run ??= inTurn(inside.toReversed(), stream())
    const result = run(message)
    if (result !== message && isCallError(result)) throw result
    return result
  }
  return Object.defineProperty(read, "keepsBytes", { get: () => decode.keepsBytes })
}

/** An encoder that runs the functions on each message; it throws the error that refuses one. @internal */
export const encoding = (
  encode: Encode<unknown>,
  inside: ReadonlyArray<SendMiddleware<unknown>>,
  stream: () => StreamContext
): Encode<unknown> => {
  let run: Plain | undefined
  return (message, out) => {
    run ??= inTurn(inside, stream())
    const result = run(message)
    if (result !== message && isCallError(result)) throw result
    encode(result, out)
  }
}
