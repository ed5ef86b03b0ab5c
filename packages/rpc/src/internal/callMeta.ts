/**
 * `writeMeta` and `readMeta` of the hooks of a PingPong client, around the string keys of a TTHeader.
 *
 * @internal
 */
import type { CallEntries } from "@millrace/transport/RawCall"
import type { MetaHandler } from "../MetaHandler.ts"
import * as RpcError from "../RpcError.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import { refusalOf } from "./answerStrings.ts"
import { error } from "./errors.ts"

/** @internal */
export type Writers = ReadonlyArray<NonNullable<MetaHandler["writeMeta"]>>

/** @internal */
export type Readers = ReadonlyArray<NonNullable<MetaHandler["readMeta"]>>

/** The keys with those that the hooks set; of two of one name the later wins. Throws what they throw. @internal */
export const write = (writers: Writers, strings: CallEntries, info: RpcInfo): CallEntries => {
  const entries = new Map(strings)
  const set = (key: string, value: string): void => {
    const refusal = refusalOf(key, value)
    if (refusal !== undefined) throw new Error(refusal)
    entries.set(key, value)
  }
  for (const writeMeta of writers) writeMeta({ set }, info)
  return [...entries]
}

/**
 * What a hook threw, as Kitex's client has the error of a meta handler (`client/middlewares.go`).
 *
 * @internal
 */
export const failure = (info: RpcInfo, thrown: unknown): RpcError.RpcError => {
  if (thrown instanceof RpcError.RpcError) return thrown
  const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown)
  return error(info, 6, `remote or network error: ${text}`, new RpcError.Status({}))
}
