/**
 * PingPong calls of services and methods that a server does not have, handed on as bytes (Kitex
 * `server/genericserver/unknownservice.go`).
 *
 * @internal
 */
import * as Thrift from "@millrace/codec/Thrift"
import type { Decode, Encode } from "@millrace/transport/RawStream"
import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Method from "../Method.ts"
import type { ServerCall } from "../ServerCall.ts"
import type { HandlerChain } from "./handlerChain.ts"
import type { MethodPlan, Result } from "./plan.ts"
import { type Route, routeOf } from "./routes.ts"

/** What the handler gets: the bytes are those of the argument struct. */
interface Request {
  readonly service: string
  readonly method: string
  readonly oneway: boolean
  readonly bytes: Uint8Array
}

const emptyStruct = Uint8Array.of(0)

const view: Decode<unknown> = (bytes, start, end) => bytes.subarray(start, end)

const write: Encode<unknown> = (result, out) => {
  const answered = (result as Result)["success"] as Uint8Array | undefined
  const bytes = answered === undefined || answered.length === 0 ? emptyStruct : answered
  out.ensure(bytes.length)
  out.buffer.set(bytes, out.position)
  out.position += bytes.length
}

const plan: MethodPlan = {
  service: { name_: "", package: "", methods: [], uses: [] },
  method: Method.pingPong("", { arguments: {}, response: Thrift.Binary }),
  path: "",
  encodeRequest: write,
  decodeRequest: view,
  encodeResponse: write,
  decodeResponse: view,
  exceptionOf: () => undefined,
  exceptions: []
}

/** What the handler requires is in the context: the type of the layer asked for it. @internal */
export const route = (
  handler: (request: Request, call: ServerCall) => Effect.Effect<unknown, unknown, unknown>,
  context: Context.Context<never>,
  chain: HandlerChain
): Route =>
  routeOf(
    plan,
    (bytes: Uint8Array, call: ServerCall) => {
      const { method, mode, service } = call.info
      return handler({ service, method, oneway: mode === "oneway", bytes }, call)
    },
    context,
    chain
  )
