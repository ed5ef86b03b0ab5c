/**
 * Methods that a service declares again, though it inherits them.
 *
 * @internal
 */
import type * as Ast from "../../Ast.ts"
import * as Diagnostic from "../../Diagnostic.ts"
import type * as Program from "../../Program.ts"
import type { Run } from "./scope.ts"
import { quoted } from "./text.ts"

interface Inherited {
  readonly service: Program.Service
  readonly name: Ast.Name
}

/**
 * Walks from each base to what extends it and keeps the names of the way, so that long chains take no more time than
 * short ones.
 *
 * @internal
 */
export const checkInherited = (run: Run, services: ReadonlyArray<Program.Service>): void => {
  const extenders = Map.groupBy(services, (service) => service.extends)
  const known = new Map<string, Inherited>()
  const pending = [...(extenders.get(undefined) ?? [])].map((service) => ({
    service,
    added: undefined as ReadonlyArray<string> | undefined
  }))
  while (pending.length > 0) {
    const step = pending.at(-1)!
    if (step.added !== undefined) {
      for (const name of step.added) known.delete(name)
      pending.pop()
      continue
    }
    step.added = enter(run, step.service, known)
    for (const service of extenders.get(step.service) ?? []) pending.push({ service, added: undefined })
  }
}

/** Adds the names that the service declares first, and gives them. */
const enter = (run: Run, service: Program.Service, known: Map<string, Inherited>): ReadonlyArray<string> => {
  const added: Array<string> = []
  for (const { name, node } of service.methods) {
    const inherited = known.get(name)
    if (inherited === undefined) {
      known.set(name, { service, name: node.name })
      added.push(name)
    } else if (inherited.service !== service) {
      run.diagnostics.push(
        Diagnostic.make(
          "E_DUP_INHERITED",
          service.file.source,
          node.name,
          `duplicate method name: ${quoted(name)} is inherited from ${quoted(inherited.service.name)}`,
          {
            related: [{ source: inherited.service.file.source, span: inherited.name, message: "first declared here" }]
          }
        )
      )
    }
  }
  return added
}
