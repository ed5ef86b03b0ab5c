/**
 * The constants of a file, each behind those that it is made of.
 *
 * @internal
 */
import type * as Ast from "../../Ast.ts"
import type * as Program from "../../Program.ts"
import { components } from "../components.ts"
import { chainText, circle, shown } from "./cycles.ts"
import { related, report, type Scope } from "./scope.ts"
import { quoted, short } from "./text.ts"
import { resolveType } from "./types.ts"
import { evaluate } from "./values.ts"

const namesIn = (value: Ast.Value, into: Array<string> = []): ReadonlyArray<string> => {
  if (value.tag === "NameValue") into.push(value.name.text)
  else if (value.tag === "ListValue") for (const item of value.items) namesIn(item, into)
  else if (value.tag === "MapValue") {
    for (const entry of value.entries) {
      namesIn(entry.key, into)
      namesIn(entry.value, into)
    }
  }
  return into
}

/**
 * @internal
 */
export const resolveConstants = (scope: Scope, nodes: ReadonlyArray<Ast.Const>): ReadonlyArray<Program.Const> => {
  const next = (node: Ast.Const): ReadonlyArray<Ast.Const> =>
    namesIn(node.value).flatMap((name) => {
      const found = scope.declared.get(name)
      return found?.tag === "Const" ? [found] : []
    })
  const constants: Array<Program.Const> = []
  for (const component of components(nodes, next)) {
    const node = component.reduce((a, b) => (a.start <= b.start ? a : b))
    const chain = circle(component, node, next)
    if (chain !== undefined) {
      reportCircle(scope, chain)
      continue
    }
    const name = node.name.text
    const type = resolveType(scope, node.type)
    const value = type && evaluate(scope, node.value, { type, what: name })
    if (type === undefined || value === undefined) continue
    const constant: Program.Const = { tag: "Const", name, file: scope.file, type, value, node }
    constants.push(constant)
    if (scope.declared.get(name) === node) scope.resolved.set(name, constant)
  }
  return constants
}

const reportCircle = (scope: Scope, chain: ReadonlyArray<Ast.Const>): void => {
  const text = chainText(chain.map(({ name }) => short(name.text)))
  report(scope, "E_CONST_CYCLE", chain[0]!.name, `the constant is made of itself: ${text}`, {
    related: shown(chain)
      .slice(1)
      .map(({ name }) => related(scope, name, `${quoted(name.text)} is declared here`))
  })
}
