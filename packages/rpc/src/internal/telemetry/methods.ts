/**
 * What metrics keep for each method and side. Names that strangers make up are one method.
 *
 * @internal
 */
import type { Protocol, RpcInfo } from "../../RpcInfo.ts"

/** The labels of a method. @internal */
export interface MethodNames {
  readonly side: "client" | "server"
  readonly service: string
  readonly method: string
  /** `package.Service/Method`. */
  readonly fullName: string
}

/** In place of a name that strangers make up. @internal */
export const other = "_OTHER"

/** @internal */
export const namesOf = (info: RpcInfo): MethodNames =>
  info.unknown === true
    ? { side: info.side, service: other, method: other, fullName: other }
    : { side: info.side, service: info.service, method: info.method, fullName: info.path.slice(1) }

/** The name of the service as registries know it, which is Kitex's `rpc.service`. @internal */
export const calleeOf = ({ callee, unknown }: RpcInfo): string => (unknown === true ? other : callee)

const kitexProtocols: Readonly<Record<Protocol, string>> = {
  grpc: "GRPC",
  "ttheader-streaming": "TTHeaderStreaming",
  buffered: "PurePayload",
  framed: "Framed",
  ttheader: "TTHeader",
  "ttheader-framed": "TTHeader|Framed"
}

/** Kitex's name of the protocol. @internal */
export const kitexProtocol = ({ protocol }: RpcInfo): string => kitexProtocols[protocol] ?? other

/** @internal */
export class PerMethod<A> {
  readonly #make: (names: MethodNames) => A
  readonly #client = new Map<string, A>()
  readonly #server = new Map<string, A>()

  constructor(make: (names: MethodNames) => A) {
    this.#make = make
  }

  get(info: RpcInfo): A {
    const made = info.side === "client" ? this.#client : this.#server
    const key = info.unknown === true ? other : info.path
    let value = made.get(key)
    if (value === undefined) made.set(key, (value = this.#make(namesOf(info))))
    return value
  }
}

/** How places are given back. @internal */
export interface Aging<A> {
  /** Milliseconds. */
  readonly now: () => number
  /** Takes back the series of a label. */
  readonly remove: (value: A) => void
}

interface Place<A> {
  readonly value: A
  /** Since the last look for places. */
  used: boolean
}

const longestLabel = 128
const unusedMillis = 60 * 60 * 1000

/**
 * What metrics keep for each value of a label that the outside gives: addresses, names of callers. Long ones are one, and
 * so are those past a number of them, so that the series are bounded. With `aging` a label that was not used for an hour
 * makes room for a new one: who makes up names does not keep the places of others for ever.
 *
 * @internal
 */
export class PerLabel<A> {
  readonly #make: (label: string) => A
  readonly #limit: number
  readonly #aging: Aging<A> | undefined
  readonly #places = new Map<string, Place<A>>()
  #lookedAt: number

  constructor(limit: number, make: (label: string) => A, aging?: Aging<A>) {
    this.#make = make
    this.#limit = limit
    this.#aging = aging
    this.#lookedAt = aging === undefined ? 0 : aging.now()
  }

  get(label: string): A {
    const place = this.#places.get(label)
    if (place !== undefined) {
      place.used = true
      return place.value
    }
    if (label === other || (label.length <= longestLabel && this.#hasRoom())) return this.#set(label)
    return this.get(other)
  }

  forEach(run: (value: A) => void): void {
    for (const { value } of this.#places.values()) run(value)
  }

  #set(label: string): A {
    const value = this.#make(label)
    this.#places.set(label, { value, used: true })
    return value
  }

  #hasRoom(): boolean {
    if (this.#places.size >= this.#limit && this.#aging !== undefined) this.#giveBack(this.#aging)
    return this.#places.size < this.#limit
  }

  #giveBack({ now, remove }: Aging<A>): void {
    const time = now()
    if (time - this.#lookedAt < unusedMillis) return
    this.#lookedAt = time
    for (const [label, place] of this.#places) {
      if (!place.used && label !== other) {
        this.#places.delete(label)
        remove(place.value)
      }
      place.used = false
    }
  }
}
