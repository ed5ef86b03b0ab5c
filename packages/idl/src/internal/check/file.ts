/**
 * One file: what it declares is brought into scope, and each definition is resolved.
 *
 * @internal
 */
import type * as Ast from "../../Ast.ts"
import type * as Loader from "../../Loader.ts"
import type * as Program from "../../Program.ts"
import { exportName } from "../emit/names.ts"
import * as Path from "../path.ts"
import { resolveConstants } from "./constants.ts"
import { resolveEnum } from "./enums.ts"
import { checkName } from "./names.ts"
import { related, report, type Run, type Scope } from "./scope.ts"
import { resolveServices } from "./services.ts"
import { checkRequiredCircles, fillDefaults, fillStruct, openStruct } from "./structs.ts"
import { short } from "./text.ts"
import { resolveTypedefs } from "./types.ts"

/**
 * Checks a file whose includes are checked already.
 *
 * @internal
 */
export const checkFile = (
  run: Run,
  parsed: Loader.Parsed,
  scopes: ReadonlyMap<Loader.Parsed, Scope>,
  isPartial: boolean
): Scope => {
  const definitions: Array<Program.Definition> = []
  const scope = openScope(run, parsed, scopes, isPartial, definitions)
  checkNames(scope, parsed.document.definitions)

  const enums: Array<Ast.Enum> = []
  const typedefs: Array<Ast.Typedef> = []
  const structs: Array<Ast.Struct> = []
  const constants: Array<Ast.Const> = []
  const services: Array<Ast.Service> = []
  for (const node of parsed.document.definitions) {
    if (node.tag === "Enum") enums.push(node)
    else if (node.tag === "Typedef") typedefs.push(node)
    else if (node.tag === "Struct") structs.push(node)
    else if (node.tag === "Const") constants.push(node)
    else services.push(node)
  }
  const add = <D extends Program.Definition>(definition: D): D => {
    definitions.push(definition)
    if (scope.declared.get(definition.name) === definition.node) scope.resolved.set(definition.name, definition)
    return definition
  }

  // types first, since they may be used before they are declared; then values, which have types
  for (const node of enums) add(resolveEnum(scope, node))
  const opened = structs.map((node) => add(openStruct(scope, node)))
  for (const typedef of resolveTypedefs(scope, typedefs)) definitions.push(typedef)
  for (const struct of opened) fillStruct(scope, struct)
  for (const constant of resolveConstants(scope, constants)) definitions.push(constant)
  for (const struct of opened) fillDefaults(scope, struct.fields, struct.name)
  checkRequiredCircles(scope, opened)
  for (const service of resolveServices(scope, services)) definitions.push(service)
  checkIncludes(scope)
  definitions.sort((a, b) => a.node.start - b.node.start)
  return scope
}

const openScope = (
  run: Run,
  { source, document, includes }: Loader.Parsed,
  scopes: ReadonlyMap<Loader.Parsed, Scope>,
  isPartial: boolean,
  definitions: ReadonlyArray<Program.Definition>
): Scope => {
  const file: Program.File = {
    source,
    document,
    prefix: Path.prefix(source.path),
    includes: includes.map(({ node, file }) => ({ node, file: scopes.get(file)!.file })),
    definitions
  }
  const declared = new Map<string, Ast.Definition>()
  for (const node of document.definitions) if (!declared.has(node.name.text)) declared.set(node.name.text, node)
  const included = Map.groupBy(
    includes.map((include) => scopes.get(include.file)!),
    (other) => other.file.prefix
  )
  const lost = new Set<string>()
  for (const node of document.headers) {
    if (node.tag === "Include" && !included.has(Path.prefix(node.path.text))) lost.add(Path.prefix(node.path.text))
  }
  return { run, file, declared, resolved: new Map(), included, used: new Set(), lost, isPartial }
}

const checkNames = (scope: Scope, nodes: ReadonlyArray<Ast.Definition>): void => {
  for (const node of nodes) {
    checkName(scope, node.name, exportName(node.name.text))
    const first = scope.declared.get(node.name.text)!
    if (first === node) continue
    report(scope, "E_DUP_NAME", node.name, `duplicated names in global scope: ${short(node.name.text)}`, {
      related: [related(scope, first.name, "first declared here")]
    })
  }
}

const checkIncludes = (scope: Scope): void => {
  const first = new Map<string, Ast.Include>()
  for (const { node, file } of scope.file.includes) {
    const same = first.get(file.prefix)
    if (same === undefined) first.set(file.prefix, node)
    else {
      report(
        scope,
        "W_INCLUDE_PREFIX",
        node.path,
        `two includes are both called ${short(file.prefix)}, the first that declares a name wins`,
        {
          related: [related(scope, same.path, "the other include")]
        }
      )
    }
    if (!scope.isPartial && !scope.used.has(file)) {
      report(scope, "W_UNUSED_INCLUDE", node.path, `nothing refers to ${short(file.prefix)}`, {
        hint: "remove the include"
      })
    }
  }
}
