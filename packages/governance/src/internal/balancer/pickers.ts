/**
 * Pickers by what they look at: nothing, the time, or the key of a call.
 *
 * @internal
 */
import type { Placing } from "@millrace/rpc/Endpoints"
import { NoInstance, RpcError } from "@millrace/rpc/RpcError"
import type { RpcInfo } from "@millrace/rpc/RpcInfo"
import { HashKey } from "../../HashKey.ts"
import type { Keyed } from "./keyed.ts"

/** Picks by an order of indices. @internal */
export class Ordered<A> {
  readonly #items: ReadonlyArray<A>
  readonly #order: { readonly next: () => number }

  constructor(items: ReadonlyArray<A>, order: { readonly next: () => number }) {
    this.#items = items
    this.#order = order
  }

  pick(): A {
    return this.#items[this.#order.next()]!
  }
}

/** Picks by what holds at the time of the call. @internal */
export class Timed<A> {
  readonly #choice: { readonly next: (now: number) => A }

  constructor(choice: { readonly next: (now: number) => A }) {
    this.#choice = choice
  }

  pick(placing: Placing): A {
    return this.#choice.next(placing.now)
  }
}

/** The key that a request has. @internal */
export type KeyOf<Request> = (request: Request, info: RpcInfo) => string | undefined

/** Picks by the key of the call. @internal */
export class Hashed<A extends { readonly address: string }> {
  readonly keyed: Keyed<A>
  readonly #keyOf: KeyOf<never> | undefined
  readonly #noKey: RpcError

  constructor(keyed: Keyed<A>, keyOf: KeyOf<never> | undefined, service: string) {
    this.keyed = keyed
    this.#keyOf = keyOf
    this.#noKey = new RpcError({
      code: 13,
      desc: `no more instances to retry: the call of ${service} has no key to hash. Make it inside HashKey.within, or give consistentHash a keyOf that finds one in its request`,
      reason: new NoInstance({ service, why: "noHashKey" })
    })
  }

  pick(placing: Placing): A | RpcError {
    const key = this.#keyOf?.(placing.request as never, placing.info) ?? placing.getRef(HashKey)
    return key === "" ? this.#noKey : this.keyed.find(key, placing.tried)
  }
}
