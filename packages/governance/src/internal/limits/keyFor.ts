/**
 * Keys that are read from the typed request of one method.
 *
 * @internal
 */
import type { RpcInfo } from "@millrace/rpc/RpcInfo"
import type * as Service from "@millrace/rpc/Service"
import type { RequestedName, RequestOf } from "../methodTypes.ts"

/** @internal */
export const keyFor = <S extends Service.Any, const N extends RequestedName<S>>(
  service: S,
  method: N,
  key: (request: RequestOf<S, N>) => string | undefined
): ((of: { readonly info: RpcInfo }) => string | undefined) => {
  if (!service.methods.some(({ name }) => name === method)) {
    throw new Error(`Limiter.keyFor: the service ${service.name_} has no method ${method}`)
  }
  return ({ info }) => {
    if (info.method !== method || info.service !== service.name_) return undefined
    if (info.request === undefined) {
      throw new Error(`Limiter.keyFor: the request of ${service.name_}.${method} is not known: set requestInInfo`)
    }
    return key(info.request as never)
  }
}
