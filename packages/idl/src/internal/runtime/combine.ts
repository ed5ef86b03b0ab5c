/**
 * Whether the services of a file can be one.
 */
import * as Diagnostic from "../../Diagnostic.ts"
import type * as Program from "../../Program.ts"

/** The first method that two of the services have, each its own.
 *
 * @internal
 */
export const conflictOf = (services: ReadonlyArray<Program.Service>): Diagnostic.Diagnostic | undefined => {
  const seen = new Map<string, { readonly method: Program.Method; readonly service: Program.Service }>()
  for (const root of services) {
    for (let service: Program.Service | undefined = root; service !== undefined; service = service.extends) {
      for (const method of service.methods) {
        const other = seen.get(method.name)
        if (other === undefined) seen.set(method.name, { method, service })
        else if (other.method !== method) return conflict(method, service, other.method, other.service)
      }
    }
  }
  return undefined
}

const conflict = (
  method: Program.Method,
  service: Program.Service,
  other: Program.Method,
  otherService: Program.Service
): Diagnostic.Diagnostic =>
  Diagnostic.make(
    "E_COMBINE_CONFLICT",
    service.file.source,
    method.node.name,
    `combine service method ${method.name} in ${service.name} conflicts with ${method.name} in ${otherService.name}`,
    {
      related: [{ source: otherService.file.source, span: other.node.name, message: "the other method" }],
      hint: "choose one service by its name, or rename a method"
    }
  )
