/** Every connection of streams and every heap of timers that the importing file brings about: what leaks is found in them. */
import { Http2Connection } from "../../../transport/src/internal/http2/connection.ts"
import { ClientConnection } from "../../../transport/src/internal/ttstream/clientConnection.ts"
import { ServerConnection } from "../../../transport/src/internal/ttstream/serverConnection.ts"
import { Timers } from "../../src/internal/timers.ts"

interface Spied {
  readonly role: "client" | "server"
  /** Streams that have not ended. */
  readonly active: number
}

export const spies = { connections: new Set<Spied>(), timers: new Set<Timers>() }

const receive = Http2Connection.prototype.receive
Http2Connection.prototype.receive = function (...args) {
  spies.connections.add(this)
  return receive.apply(this, args)
}
/** One of TTHeader streaming, which does not know its role. */
class Streaming implements Spied {
  readonly role: Spied["role"]
  readonly #connection: { readonly active: number }
  constructor(role: Spied["role"], connection: { readonly active: number }) {
    this.role = role
    this.#connection = connection
  }
  get active(): number {
    return this.#connection.active
  }
}
for (const [role, connection] of [
  ["client", ClientConnection.prototype],
  ["server", ServerConnection.prototype]
] as const) {
  const seen = new WeakMap<object, Streaming>()
  const { receive } = connection
  connection.receive = function (this: { readonly active: number }, ...args) {
    const spied = seen.get(this) ?? new Streaming(role, this)
    seen.set(this, spied)
    spies.connections.add(spied)
    return receive.apply(this as never, args)
  }
}
const arm = Timers.prototype.arm
Timers.prototype.arm = function (...args) {
  spies.timers.add(this)
  return arm.apply(this, args)
}
