/**
 * Which service a call is for that has a Thrift wire form: a PingPong call, or a stream over TTHeader streaming. A TTHeader names one,
 * the other encodings do not, and Kitex has rules for what happens then (`server/service.go`).
 *
 * @internal
 */

/** The services of a server in the order of their registration, each with its methods by name. @internal */
export interface RoutingTable<R> {
  readonly services: ReadonlyMap<string, ReadonlyMap<string, R>>
  /** Takes calls that name no service. */
  readonly fallback: ReadonlyMap<string, R> | undefined
  /** Calls must name their service. */
  readonly refuseUnnamed: boolean
}

/** The methods of the service that a call is for, its own not necessarily among them. @internal */
export const serviceOf = <R>(
  { fallback, refuseUnnamed, services }: RoutingTable<R>,
  service: string,
  method: string
): ReadonlyMap<string, R> | undefined => {
  const named = services.get(service)
  if (named !== undefined || refuseUnnamed) return named
  if (service === "" && fallback?.has(method) === true) return fallback
  let found: ReadonlyMap<string, R> | undefined
  for (const methods of services.values()) {
    if (!methods.has(method)) continue
    if (service === "") return methods
    // Several services of another name have it: which one was meant?
    if (found !== undefined) return undefined
    found = methods
  }
  return found
}

/**
 * The first method that a call without the name of its service could not be told apart by: two services have it, and the
 * fallback does not.
 *
 * @internal
 */
export const ambiguousMethod = <R>({ fallback, refuseUnnamed, services }: RoutingTable<R>): string | undefined => {
  if (refuseUnnamed) return undefined
  const names = new Set<string>()
  for (const methods of services.values()) {
    for (const name of methods.keys()) {
      if (names.has(name) && fallback?.has(name) !== true) return name
      names.add(name)
    }
  }
  return undefined
}
