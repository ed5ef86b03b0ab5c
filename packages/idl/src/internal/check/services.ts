/**
 * Services and their functions.
 *
 * @internal
 */
import type * as Ast from "../../Ast.ts"
import type * as Program from "../../Program.ts"
import { components } from "../components.ts"
import { chainText, circle, shown } from "./cycles.ts"
import { resolveFields } from "./fields.ts"
import { checkName } from "./names.ts"
import { find, mayBeLost, names, related, report, type Scope, shape } from "./scope.ts"
import { checkMessage, checkMisplaced, type Mode, resolveMode } from "./streaming.ts"
import { fillDefaults } from "./structs.ts"
import { nearest } from "./suggest.ts"
import { quoted, short, typeText } from "./text.ts"
import { resolveType } from "./types.ts"

/**
 * The services of a file, each behind the one that it extends.
 *
 * @internal
 */
export const resolveServices = (scope: Scope, nodes: ReadonlyArray<Ast.Service>): ReadonlyArray<Program.Service> => {
  const next = (node: Ast.Service): ReadonlyArray<Ast.Service> => {
    const base = node.extends && scope.declared.get(node.extends.text)
    return base?.tag === "Service" ? [base] : []
  }
  const services: Array<Program.Service> = []
  for (const component of components(nodes, next)) {
    const first = component.reduce((a, b) => (a.start <= b.start ? a : b))
    const chain = circle(component, first, next)
    if (chain !== undefined) reportCircle(scope, chain)
    for (const node of component) {
      const base = chain === undefined ? resolveBase(scope, node) : undefined
      checkMisplaced(scope, "a service", node)
      const methods = resolveMethods(scope, node)
      const service: Program.Service = {
        tag: "Service",
        name: node.name.text,
        file: scope.file,
        extends: base,
        methods,
        node
      }
      services.push(service)
      if (scope.declared.get(service.name) === node) scope.resolved.set(service.name, service)
    }
  }
  return services
}

const reportCircle = (scope: Scope, chain: ReadonlyArray<Ast.Service>): void => {
  const text = chainText(chain.map(({ name }) => short(name.text)))
  report(scope, "E_SERVICE_CYCLE", chain[0]!.extends!, `the service extends itself: ${text}`, {
    related: shown(chain)
      .slice(1)
      .map((node) => related(scope, node.extends!, `${quoted(node.name.text)} extends it here`))
  })
}

const resolveBase = (scope: Scope, node: Ast.Service): Program.Service | undefined => {
  const name = node.extends
  if (name === undefined) return undefined
  const found = find(scope, name.text, (each) => each.tag === "Service")
  if (found?.node.tag === "Service") return found.scope.resolved.get(found.node.name.text) as Program.Service
  if (found === undefined && mayBeLost(scope, name.text)) return undefined
  const near = nearest(name.text, baseNames(scope, node), scope.run.budget)
  report(scope, "E_UNDEFINED", name, `base service ${quoted(name.text)} not found for ${quoted(node.name.text)}`, {
    related: found === undefined ? [] : [related(found.scope, found.node.name, "this is no service")],
    hint: near === undefined ? undefined : `did you mean ${quoted(near)}?`
  })
  return undefined
}

function* baseNames(scope: Scope, { name }: Ast.Service): Iterable<string> {
  for (const each of names(scope, "service")) if (each !== name.text) yield each
}

const resolveMethods = (scope: Scope, service: Ast.Service): ReadonlyArray<Program.Method> => {
  const seen = new Map<string, Ast.Name>()
  return service.functions.map((node) => {
    const { name } = node
    const same = seen.get(name.text)
    if (same === undefined) seen.set(name.text, name)
    else {
      report(
        scope,
        "E_DUP_FUNCTION",
        name,
        `duplicated function name in ${quoted(service.name.text)}: ${quoted(name.text)}`,
        {
          related: [related(scope, same, "first declared here")]
        }
      )
    }
    checkName(scope, name, name.text)
    if (name.text === "then") {
      report(
        scope,
        "W_RESERVED_WORD",
        name,
        "JavaScript takes a client with a method `then` for a promise that never ends",
        {
          hint: "rename it, or never return the client from an async function or to a promise"
        }
      )
    }
    if (name.text.startsWith("_")) {
      report(
        scope,
        "W_UNDERSCORE_METHOD",
        name,
        `Kitex leaves ${short(name.text)} out of the service, since it starts with _`
      )
    }
    checkOneway(scope, service, node)
    return resolveMethod(scope, service, node)
  })
}

const checkOneway = (scope: Scope, service: Ast.Service, node: Ast.Function): void => {
  if (node.oneway === undefined) return
  const name = `${short(service.name.text)}.${short(node.name.text)}`
  if (node.result !== undefined) {
    report(scope, "E_ONEWAY_RESULT", node.result, `${name}: oneway function must be void type`, {
      related: [related(scope, node.oneway, "oneway: nothing comes back")]
    })
  }
  if (node.throws.length > 0) {
    report(scope, "E_ONEWAY_THROWS", node.throwsSpan ?? node.name, `${name}: oneway methods can't throw exceptions`, {
      related: [related(scope, node.oneway, "oneway: nothing comes back")]
    })
  }
}

const isStream = (mode: Mode | undefined): boolean => mode !== undefined && mode !== "unary"

const resolveMethod = (scope: Scope, service: Ast.Service, node: Ast.Function): Program.Method => {
  const name = node.name.text
  const mode = resolveMode(scope, node)
  const result = node.result && resolveType(scope, node.result)
  const fields = resolveFields(scope, node.arguments, { kind: "arguments", text: `the arguments of ${quoted(name)}` })
  fillDefaults(scope, fields, `${service.name.text}.${name}`)
  const throws = resolveFields(scope, node.throws, {
    kind: "throws",
    text: `the exceptions of ${quoted(name)}`,
    result: node.result
  })
  for (const { type } of throws) checkException(scope, type)
  if (node.result !== undefined) checkMisplaced(scope, "the type of a result", node.result)
  for (const field of node.arguments) {
    checkMisplaced(scope, "an argument", field)
    checkMisplaced(scope, "the type of an argument", field.type)
  }
  if (isStream(mode)) {
    if (fields.length === 1) checkMessage(scope, "request", fields[0]!.type)
    if (result !== undefined) checkMessage(scope, "response", result)
  }
  return {
    name,
    mode: mode ?? (node.oneway === undefined ? "pingPong" : "oneway"),
    arguments: fields,
    result,
    throws: isStream(mode) ? [] : throws,
    node
  }
}

const checkException = (scope: Scope, type: Program.Type): void => {
  const found = shape(scope.run, type)
  if ("tag" in found && found.tag === "Struct" && found.kind === "exception") return
  report(scope, "E_THROWS_TYPE", type.node, `${typeText(type.node)} is thrown and is no exception`, {
    related: "tag" in found ? [{ source: found.file.source, span: found.node.name, message: "declared here" }] : [],
    hint: "declare it with exception instead of struct, union or enum"
  })
}
