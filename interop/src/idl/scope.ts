/**
 * What random files declare, and what a file sees of itself and of those that it includes.
 *
 * @since 0.1.0
 */
import * as Values from "./values.ts"

export interface Scope {
  /** Structs, unions, enums and typedefs. */
  readonly types: Array<Values.Named>
  readonly exceptions: Array<Values.Named>
  readonly constants: Array<{ readonly name: string; readonly type: Values.Type }>
  readonly services: Array<Service>
}

export interface Service {
  readonly name: string
  /** Inherited ones too. */
  readonly functions: ReadonlyArray<string>
}

export interface Include {
  /** As it is written. */
  readonly path: string
  readonly prefix: string
  readonly scope: Scope
}

export const empty = (): Scope => ({ types: [], exceptions: [], constants: [], services: [] })

/** Types or exceptions by the names that they have in a file. */
export const visible = (
  key: "types" | "exceptions",
  scope: Scope,
  includes: ReadonlyArray<Include>
): ReadonlyArray<Values.Named> => [
  ...scope[key],
  ...includes.flatMap((include) => include.scope[key].map((type) => Values.seenFrom(`${include.prefix}.`, type)))
]

/** Services by the names that they have in a file. */
export const visibleServices = (scope: Scope, includes: ReadonlyArray<Include>): ReadonlyArray<Service> => [
  ...scope.services,
  ...includes.flatMap(({ prefix, scope }) =>
    scope.services.map((service) => ({ ...service, name: `${prefix}.${service.name}` }))
  )
]

/** The names of all definitions, exceptions apart. */
export const names = ({ constants, services, types }: Scope): ReadonlyArray<string> =>
  [...types, ...constants, ...services].map(({ name }) => name)
