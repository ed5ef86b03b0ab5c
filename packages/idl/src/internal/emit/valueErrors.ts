/**
 * Constants and defaults that cannot be written in TypeScript.
 */
import * as Diagnostic from "../../Diagnostic.ts"
import * as Program from "../../Program.ts"
import type { Span } from "../../Source.ts"
import { type Holder, type ScalarOptions, scalarOf } from "../scalar.ts"
import { parts, values } from "./needs.ts"
import { postorder } from "./postorder.ts"

/** A constant, or the default of a member. */
interface Root {
  readonly value: Program.Value
  readonly type: Program.Type
  readonly holder: Holder | undefined
  readonly file: Program.File
  readonly span: Span
}

const ofFields = (fields: ReadonlyArray<Program.Field>, file: Program.File): ReadonlyArray<Root> =>
  fields.flatMap((field) =>
    field.default === undefined
      ? []
      : [{ value: field.default, type: field.type, holder: field, file, span: field.node.default ?? field.node.name }]
  )

const rootsOf = (definition: Program.Definition): ReadonlyArray<Root> => {
  const { file } = definition
  switch (definition.tag) {
    case "Const":
      return [{ value: definition.value, type: definition.type, holder: undefined, file, span: definition.node.value }]
    case "Struct":
      return ofFields(definition.fields, file)
    default:
      return []
  }
}

interface Size {
  /** All parts, once the constants in it are written out. */
  readonly all: number
  /** Those of its parts that are written in constants. */
  readonly shared: number
  readonly height: number
}

const sizeOf = (value: Program.Value, known: Map<Program.Value, Size>): Size => {
  for (const each of postorder([value], (at) => parts(at).filter((part) => !known.has(part)))) {
    let all = 1
    let shared = 0
    let height = 1
    for (const part of parts(each)) {
      const size = known.get(part)!
      all += size.all
      shared += size.shared
      height = Math.max(height, size.height + 1)
    }
    known.set(each, { all, shared: each.from === undefined ? shared : all, height })
  }
  return known.get(value)!
}

const maxShared = 1_000_000

const maxHeight = 256

/** Constants that hold constants can be far larger than the IDL. */
const limitErrors = (roots: ReadonlyArray<Root>): ReadonlyArray<Diagnostic.Diagnostic> => {
  const known = new Map<Program.Value, Size>()
  let shared = 0
  for (const { file, span, value } of roots) {
    const size = sizeOf(value, known)
    shared += size.shared
    const found =
      size.height > maxHeight
        ? `this value is more than ${maxHeight} levels deep`
        : shared > maxShared
          ? `constants that are parts of values come to more than ${maxShared} values`
          : undefined
    if (found !== undefined) return [Diagnostic.make("E_LIMIT", file.source, span, found)]
  }
  return []
}

/** The first integer that a number of JavaScript cannot hold. */
const unsafe = (
  value: Program.Value,
  type: Program.Type,
  holder: Holder | undefined,
  options: ScalarOptions
): bigint | undefined => {
  const first = (items: ReadonlyArray<Program.Value>, of: Program.Type) => {
    for (const item of items) {
      const found = unsafe(item, of, undefined, options)
      if (found !== undefined) return found
    }
    return undefined
  }
  switch (value.kind) {
    case "int":
      if (scalarOf(type, holder, options) !== "i64number") return undefined
      return Number.isSafeInteger(Number(value.value)) ? undefined : value.value
    case "list":
    case "set": {
      const target = Program.target(type)
      return "element" in target ? first(value.items, target.element) : undefined
    }
    case "map": {
      const target = Program.target(type)
      if (!("key" in target)) return undefined
      const keys = value.entries.map(([key]) => key)
      const items = value.entries.map(([, item]) => item)
      return first(keys, target.key) ?? first(items, target.value)
    }
    case "struct":
      for (const [field, item] of value.fields) {
        const found = unsafe(item, field.type, field, options)
        if (found !== undefined) return found
      }
  }
  return undefined
}

const unsafeErrors = (roots: ReadonlyArray<Root>, options: ScalarOptions): ReadonlyArray<Diagnostic.Diagnostic> =>
  roots.flatMap(({ file, holder, span, type, value }) => {
    const found = unsafe(value, type, holder, options)
    if (found === undefined) return []
    const message = `${found} is not a safe integer, and this i64 is a number`
    return [Diagnostic.make("E_VALUE_TYPE", file.source, span, message, { hint: "make it a bigint or a string" })]
  })

/** The defaults that are made when a value is: those of the members that its structs leave out. */
const madeWith = (value: Program.Value): ReadonlyArray<Program.Value> => {
  const made: Array<Program.Value> = []
  for (const each of values(value)) {
    if (each.kind !== "struct" || each.struct.kind === "union") continue
    const given = new Set(each.fields.map(([field]) => field))
    for (const field of each.struct.fields) {
      if (field.default !== undefined && !given.has(field)) made.push(field.default)
    }
  }
  return made
}

/** Defaults that lead to themselves could be made without end. */
const endlessErrors = (roots: ReadonlyArray<Root>): ReadonlyArray<Diagnostic.Diagnostic> => {
  const known = new Map<Program.Value, ReadonlyArray<Program.Value>>()
  const next = (value: Program.Value) => {
    const made = known.get(value) ?? madeWith(value)
    known.set(value, made)
    return made
  }
  const ordered = postorder(
    roots.map(({ value }) => value),
    next
  )
  const places = new Map(ordered.map((value, i) => [value, i]))
  const isEndless = (value: Program.Value) => next(value).some((made) => places.get(made)! >= places.get(value)!)
  return roots
    .filter(({ value }) => isEndless(value))
    .map(({ file, span }) =>
      Diagnostic.make("E_CONST_CYCLE", file.source, span, "this default is a part of itself, so it never ends", {
        hint: "take the default away"
      })
    )
}

/** @internal */
export const valueErrors = (
  definitions: ReadonlyArray<Program.Definition>,
  options: ScalarOptions
): ReadonlyArray<Diagnostic.Diagnostic> => {
  const roots = definitions.flatMap(rootsOf)
  const limits = limitErrors(roots)
  return limits.length > 0 ? limits : [...endlessErrors(roots), ...unsafeErrors(roots, options)]
}
