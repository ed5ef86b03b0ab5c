/**
 * Limits of a server, as rules of admission: they refuse, they never queue, because a call that waits holds its stream.
 *
 * @since 0.1.0
 */
import * as Admission from "@millrace/rpc/Admission"
import * as RpcError from "@millrace/rpc/RpcError"

// Spelled as in Kitex (`pkg/kerrors`), whose clients may look for it. One value: a server over its limit has no time
// for more.
const overLimit = new RpcError.RpcError({
  code: 8,
  desc: "request over limit: to many connections",
  reason: new RpcError.Rejected({ limit: "concurrency" })
})

/**
 * At most `max` handlers at a time, over all methods of the servers that list it. A call above that is refused with
 * code 8 and reason `Rejected`; its client may try elsewhere. A call counts until its handler has ended, also when its
 * client has left.
 *
 * **Example** (A thousand calls at a time)
 *
 * ```ts
 * import { Limiter } from "@millrace/governance"
 * import { Method, Server, Service } from "@millrace/rpc"
 *
 * class TestService extends Service.make("TestService", { methods: [Method.pingPong("Ping", { arguments: {} })] }) {}
 *
 * const Limited = Server.layer([TestService], { admission: [Limiter.concurrency(1000)] })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const concurrency = (max: number): Admission.Admission => {
  let running = 0
  return Admission.make(() => {
    if (running >= max) return overLimit
    running++
    return () => {
      running--
    }
  })
}
