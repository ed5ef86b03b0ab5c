/** What a call came to, in one line. */
import { RpcError } from "@millrace/rpc"
import { Effect } from "effect"
import { Response } from "../src/api.ts"

export const told = <A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<string, never, R> =>
  Effect.match(call, {
    onSuccess: (value) => (value instanceof Response ? (value.message ?? "") : String(value)),
    onFailure: (error) =>
      error instanceof RpcError.RpcError ? `${error.reason._tag} ${error.code} ${error.desc}` : String(error)
  })
