/** Every connection and every heap of timers that the importing file brings about: what leaks is found in them. */
import { Http2Connection } from "../../../transport/src/internal/http2/connection.ts"
import { Timers } from "../../src/internal/timers.ts"

export const spies = { connections: new Set<Http2Connection>(), timers: new Set<Timers>() }

const receive = Http2Connection.prototype.receive
Http2Connection.prototype.receive = function (...args) {
  spies.connections.add(this)
  return receive.apply(this, args)
}
const arm = Timers.prototype.arm
Timers.prototype.arm = function (...args) {
  spies.timers.add(this)
  return arm.apply(this, args)
}
