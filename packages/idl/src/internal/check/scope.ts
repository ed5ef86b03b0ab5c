/**
 * What the names in one file mean: its own, and those of the files that it includes.
 *
 * @internal
 */
import type * as Ast from "../../Ast.ts"
import * as Diagnostic from "../../Diagnostic.ts"
import type * as Program from "../../Program.ts"
import type { Span } from "../../Source.ts"

/**
 * What a type is once its typedefs are looked through.
 *
 * @internal
 */
export type Shape = Exclude<Program.Type, Program.Reference> | Program.Enum | Program.Struct

/**
 * What all files of a run share.
 *
 * @internal
 */
export interface Run {
  readonly diagnostics: Array<Diagnostic.Diagnostic>
  readonly allowEnumAlias: boolean
  readonly shapes: Map<Program.Typedef, Shape>
  /** How deep the containers of a typedef nest. */
  readonly depths: Map<Program.Typedef, number>
  /** How many names may still be looked at for "did you mean". */
  readonly budget: { comparisons: number }
}

/**
 * @internal
 */
export interface Scope {
  readonly run: Run
  readonly file: Program.File
  /** The first declaration of each name. */
  readonly declared: ReadonlyMap<string, Ast.Definition>
  /** What the declarations mean. One that is wrong is missing here, and was reported. */
  readonly resolved: Map<string, Program.Definition>
  readonly included: ReadonlyMap<string, ReadonlyArray<Scope>>
  /** Included files that something refers to. */
  readonly used: Set<Program.File>
  /** Prefixes of includes that could not be loaded. */
  readonly lost: ReadonlySet<string>
  /** Whether the file could not be read in full, so that declarations may be missing. */
  readonly isPartial: boolean
}

/**
 * @internal
 */
export const report = (
  scope: Scope,
  code: Diagnostic.Code,
  span: Span,
  message: string,
  more?: Parameters<typeof Diagnostic.make>[4]
): void => {
  scope.run.diagnostics.push(Diagnostic.make(code, scope.file.source, span, message, more))
}

/**
 * Another place in the same file.
 *
 * @internal
 */
export const related = (scope: Scope, span: Span, message: string): Diagnostic.Related => ({
  source: scope.file.source,
  span: { start: span.start, end: span.end },
  message
})

/**
 * The two parts of `prefix.Name`, split at the last dot.
 *
 * @internal
 */
export const split = (name: string): { readonly prefix: string | undefined; readonly last: string } => {
  const dot = name.lastIndexOf(".")
  return dot < 0 ? { prefix: undefined, last: name } : { prefix: name.slice(0, dot), last: name.slice(dot + 1) }
}

/**
 * @internal
 */
export interface Declared {
  readonly scope: Scope
  readonly node: Ast.Definition
}

/**
 * The included files of that prefix.
 *
 * @internal
 */
export const includedAs = (scope: Scope, prefix: string | undefined): ReadonlyArray<Scope> =>
  (prefix === undefined ? undefined : scope.included.get(prefix)) ?? []

/** The included files that `prefix.Name` or `prefix.Enum.MEMBER` can be about, by what is before the last dot. */
const candidates = (scope: Scope, prefix: string): ReadonlyArray<Scope> =>
  [prefix, split(prefix).prefix].flatMap((each) => includedAs(scope, each))

/**
 * Takes the includes that a wrong name seems to be about as used: the mistake is in the name.
 *
 * @internal
 */
export const useCandidates = (scope: Scope, name: string): void => {
  const { prefix } = split(name)
  if (prefix !== undefined) for (const { file } of candidates(scope, prefix)) scope.used.add(file)
}

/**
 * Where a type or service is declared. Of several files with one prefix the first wins that declares the name as what is
 * wanted, or else as something.
 *
 * @internal
 */
export const find = (scope: Scope, name: string, wanted: (node: Ast.Definition) => boolean): Declared | undefined => {
  const own = scope.declared.get(name)
  if (own !== undefined) return { scope, node: own }
  const { prefix, last } = split(name)
  let found: Declared | undefined
  for (const other of includedAs(scope, prefix)) {
    const node = other.declared.get(last)
    if (node === undefined || (found !== undefined && !wanted(node))) continue
    found = { scope: other, node }
    if (wanted(node)) break
  }
  if (found === undefined) useCandidates(scope, name)
  else scope.used.add(found.scope.file)
  return found
}

/**
 * Whether a name that is not found may be declared in what could not be read. That was reported already.
 *
 * @internal
 */
export const mayBeLost = (scope: Scope, name: string): boolean => {
  const { prefix } = split(name)
  if (prefix === undefined) return scope.isPartial
  const included = candidates(scope, prefix)
  const isLost = scope.lost.has(prefix) || scope.lost.has(split(prefix).prefix ?? prefix)
  return isLost || (included.length === 0 ? [scope] : included).some((other) => other.isPartial)
}

/** What the declarations of a file are called by those who look for a name. */
interface Names {
  readonly type: Array<string>
  readonly constant: Array<string>
  readonly service: Array<string>
  /** `Enum.MEMBER` */
  readonly member: Array<string>
  /** The first `Enum.MEMBER` of each `MEMBER`. */
  readonly byMember: Map<string, string>
}

const ownNames = new WeakMap<Scope, Names>()

/** Made once and only when a name is wrong, when all enums are resolved. */
const namesOf = (scope: Scope): Names => {
  const known = ownNames.get(scope)
  if (known !== undefined) return known
  const names: Names = { type: [], constant: [], service: [], member: [], byMember: new Map() }
  ownNames.set(scope, names)
  for (const [name, { tag }] of scope.declared) {
    names[tag === "Const" ? "constant" : tag === "Service" ? "service" : "type"].push(name)
    const definition = tag === "Enum" ? scope.resolved.get(name) : undefined
    if (definition?.tag !== "Enum") continue
    for (const member of definition.members) {
      const full = `${name}.${member.name}`
      names.member.push(full)
      if (!names.byMember.has(member.name)) names.byMember.set(member.name, full)
    }
  }
  return names
}

/** The file itself and what it includes, by how names in it begin. Each file counts as a comparison. */
function* reachable(scope: Scope): Iterable<readonly [start: string, names: Names]> {
  yield ["", namesOf(scope)]
  for (const [prefix, others] of scope.included) {
    for (const other of others) {
      if (scope.run.budget.comparisons-- <= 0) return
      yield [`${prefix}.`, namesOf(other)]
    }
  }
}

/**
 * The names of that kind that a file can refer to, as it would write them.
 *
 * @internal
 */
export function* names(scope: Scope, kind: "type" | "constant" | "service" | "member"): Iterable<string> {
  for (const [start, known] of reachable(scope)) for (const name of known[kind]) yield start + name
}

/**
 * A member of an enum by its bare name, which Kitex does not know.
 *
 * @internal
 */
export const bareMember = (scope: Scope, name: string): string | undefined => {
  for (const [start, { byMember }] of reachable(scope)) {
    const found = byMember.get(name)
    if (found !== undefined) return start + found
  }
  return undefined
}

/**
 * @internal
 */
export const shape = (run: Run, type: Program.Type): Shape =>
  type.kind !== "reference" ? type : type.to.tag === "Typedef" ? run.shapes.get(type.to)! : type.to
