/**
 * What a PingPong call is given: by its client, by its options, and by what stands around it.
 *
 * @internal
 */
import type { CallTarget } from "@millrace/transport/RawCall"
import type { ClientTransport } from "@millrace/transport/Transport"
import type { CallError } from "../ClientStream.ts"
import type { RpcError } from "../RpcError.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import type * as callMeta from "./callMeta.ts"
import type { ClientGovernance } from "./clientGovernance.ts"
import type { ClientInfo } from "./clientInfo.ts"
import type { Hops } from "./hops.ts"
import type { Timers } from "./timers.ts"

/** @internal */
export type PingPongError = CallError | object

/** What all calls of a client share. @internal */
export interface CallEnvironment {
  readonly transport: ClientTransport["Service"]
  readonly governance: ClientGovernance
  readonly timers: Timers
  readonly destService: string
  readonly failsMissingResult: boolean
  readonly errorHandler: ((error: RpcError, info: RpcInfo) => CallError) | undefined
  readonly writers: callMeta.Writers
  readonly readers: callMeta.Readers
  readonly hops: Hops
}

/** The options of a call: its timeout in milliseconds is infinite for none. @internal */
export interface CallSettings {
  readonly rpcTimeout: number
  readonly connectTimeoutMillis: number | undefined
  readonly encoding: CallTarget["encoding"]
  readonly connection: CallTarget["connection"]
}

/**
 * A call that middleware, tracers or hooks look at, of which a `PingPongCall` is one attempt. The answer of an attempt
 * is its result struct.
 *
 * @internal
 */
export interface Whole {
  readonly info: ClientInfo
  /** When it began, where it has an end of its own. */
  readonly startedAt: number | undefined
  /** When it ends, with whatever attempt is under way; infinite for an end that attempts see to. */
  readonly endsAt: number
  /** An attempt has a connection. */
  connected(): void
  /** It was none: nothing was sent. */
  disconnected(): void
  sendCount: number
  recvCount: number
  sendBytes: number
  recvBytes: number
}
