/**
 * One method of one service, as middleware for it names it and as a call is of it.
 *
 * @internal
 */
import type * as Method from "../Method.ts"
import type * as Service from "../Service.ts"

/** @internal */
export interface OneMethod {
  readonly service: Service.Any
  readonly method: Method.Any
}

/** A method by its name. Throws where the service has none: `maker` would never be called. @internal */
export const named = (maker: string, service: Service.Any, name: string): OneMethod => {
  const method = service.methods.find((each) => each.name === name)
  if (method !== undefined) return { service, method }
  const names = service.methods.map((each) => each.name).join(", ")
  throw new Error(
    `${maker}: the service ${service.name_} has no method ${name}, it has ${names === "" ? "none at all" : names}`
  )
}

/** Whether a call is of the method, in its service or in one that inherits it. @internal */
export const isOf = (called: OneMethod, one: OneMethod): boolean => {
  // The same value under the same name: `use` makes another class of a service.
  if (called.method !== one.method) return false
  let service: Service.Any["base"] = called.service
  while (service !== undefined && service.name_ !== one.service.name_) service = service.base
  return service !== undefined
}
