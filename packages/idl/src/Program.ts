/**
 * What IDL files mean: names are resolved, ids are given, values have types. The ground of everything that is made from an
 * IDL.
 *
 * Nodes refer to each other directly, so a program is a graph, with circles where types are recursive.
 *
 * @since 0.1.0
 */
import type * as Ast from "./Ast.ts"
import type { Source } from "./Source.ts"

/**
 * A file with what it declares, in the order of its text.
 *
 * @since 0.1.0
 * @category models
 */
export interface File {
  readonly source: Source
  readonly document: Ast.Document
  /** What others refer to it by: its base name without the last extension, `a.b` for `x/a.b.thrift`. */
  readonly prefix: string
  /** Direct includes, in their order. */
  readonly includes: ReadonlyArray<Include>
  readonly definitions: ReadonlyArray<Definition>
}

/**
 * An include with the file that it stands for.
 *
 * @since 0.1.0
 * @category models
 */
export interface Include {
  readonly node: Ast.Include
  readonly file: File
}

/**
 * All files that were asked for and what they include, included files first.
 *
 * @since 0.1.0
 * @category models
 */
export interface Program {
  readonly files: ReadonlyArray<File>
  /** Those that were asked for. */
  readonly entries: ReadonlyArray<File>
}

/**
 * What a file can declare.
 *
 * @since 0.1.0
 * @category models
 */
export type Definition = Const | Typedef | Enum | Struct | Service

/**
 * The use of a type, as the IDL has it.
 *
 * @since 0.1.0
 * @category models
 */
export type Type = Base | List | Set | Map | Reference

/**
 * `byte` is `i8`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Base {
  readonly kind: "bool" | "i8" | "i16" | "i32" | "i64" | "double" | "string" | "binary"
  readonly node: Ast.Type
}

/**
 * A list, with the type of its elements.
 *
 * @since 0.1.0
 * @category models
 */
export interface List {
  readonly kind: "list"
  readonly element: Type
  readonly node: Ast.Type
}

/**
 * A set, with the type of its elements.
 *
 * @since 0.1.0
 * @category models
 */
export interface Set {
  readonly kind: "set"
  readonly element: Type
  readonly node: Ast.Type
}

/**
 * A map, with the types of its keys and values.
 *
 * @since 0.1.0
 * @category models
 */
export interface Map {
  readonly kind: "map"
  readonly key: Type
  readonly value: Type
  readonly node: Ast.Type
}

/**
 * The use of a declared type; a typedef is not looked through.
 *
 * @since 0.1.0
 * @category models
 */
export interface Reference {
  readonly kind: "reference"
  readonly to: Typedef | Enum | Struct
  readonly node: Ast.Type
}

/**
 * Another name for a type.
 *
 * @since 0.1.0
 * @category models
 */
export interface Typedef {
  readonly tag: "Typedef"
  readonly name: string
  readonly file: File
  readonly type: Type
  readonly node: Ast.Typedef
}

/**
 * An enum. It is open: values of its type may have other numbers than its members.
 *
 * @since 0.1.0
 * @category models
 */
export interface Enum {
  readonly tag: "Enum"
  readonly name: string
  readonly file: File
  readonly members: ReadonlyArray<EnumMember>
  readonly node: Ast.Enum
}

/**
 * A member of an enum, with the number that it has or gets.
 *
 * @since 0.1.0
 * @category models
 */
export interface EnumMember {
  readonly name: string
  readonly value: number
  readonly node: Ast.EnumMember
}

/**
 * A struct, union or exception.
 *
 * @since 0.1.0
 * @category models
 */
export interface Struct {
  readonly tag: "Struct"
  readonly kind: "struct" | "union" | "exception"
  readonly name: string
  readonly file: File
  readonly fields: ReadonlyArray<Field>
  readonly node: Ast.Struct
}

/**
 * A member, an argument or an entry of `throws`. Members of unions and entries of `throws` are optional, arguments of
 * default requiredness, whatever is written.
 *
 * @since 0.1.0
 * @category models
 */
export interface Field {
  readonly id: number
  readonly name: string
  readonly requiredness: "default" | "required" | "optional"
  readonly type: Type
  readonly default: Value | undefined
  readonly node: Ast.Field
}

/**
 * A constant, with its value.
 *
 * @since 0.1.0
 * @category models
 */
export interface Const {
  readonly tag: "Const"
  readonly name: string
  readonly file: File
  readonly type: Type
  readonly value: Value
  readonly node: Ast.Const
}

/**
 * A service.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  readonly tag: "Service"
  readonly name: string
  readonly file: File
  readonly extends: Service | undefined
  /** Its own, without those it inherits. */
  readonly methods: ReadonlyArray<Method>
  readonly node: Ast.Service
}

/**
 * A method, and how it is called.
 *
 * @since 0.1.0
 * @category models
 */
export interface Method {
  readonly name: string
  readonly mode: "pingPong" | "oneway" | "unary" | "client" | "server" | "bidirectional"
  readonly arguments: ReadonlyArray<Field>
  /** Undefined for `void`. */
  readonly result: Type | undefined
  readonly throws: ReadonlyArray<Field>
  readonly node: Ast.Function
}

/**
 * A value of a known type, coerced as Kitex does. `from` is the constant that the IDL named in its place.
 *
 * @since 0.1.0
 * @category models
 */
export type Value = { readonly from: Const | undefined } & (
  | { readonly kind: "bool"; readonly value: boolean }
  /** i8, i16, i32 and i64. */
  | { readonly kind: "int"; readonly value: bigint }
  | { readonly kind: "double"; readonly value: number }
  /** Escapes are those of Go and interpreted. */
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "binary"; readonly value: Uint8Array }
  | { readonly kind: "enum"; readonly enum: Enum; readonly value: number; readonly member: EnumMember | undefined }
  | { readonly kind: "list"; readonly items: ReadonlyArray<Value> }
  | { readonly kind: "set"; readonly items: ReadonlyArray<Value> }
  | { readonly kind: "map"; readonly entries: ReadonlyArray<readonly [key: Value, value: Value]> }
  | {
      readonly kind: "struct"
      readonly struct: Struct
      readonly fields: ReadonlyArray<readonly [field: Field, value: Value]>
    }
)

type Target = Base | List | Set | Map | Enum | Struct

const targets = new WeakMap<Typedef, Target>()

/** Chains of typedefs can be long, so each is walked once. */
const targetOf = (typedef: Typedef): Target => {
  const chain: Array<Typedef> = []
  let found: Target | undefined
  for (let at = typedef; found === undefined;) {
    found = targets.get(at)
    if (found !== undefined) break
    chain.push(at)
    if (at.type.kind !== "reference") found = at.type
    else if (at.type.to.tag !== "Typedef") found = at.type.to
    else at = at.type.to
  }
  for (const each of chain) targets.set(each, found)
  return found
}

/**
 * What a type is once its typedefs are looked through.
 *
 * @since 0.1.0
 * @category getters
 */
export const target = (type: Type): Base | List | Set | Map | Enum | Struct => {
  if (type.kind !== "reference") return type
  return type.to.tag === "Typedef" ? targetOf(type.to) : type.to
}

/**
 * The values of an annotation, in their order.
 *
 * @since 0.1.0
 * @category getters
 */
export const annotation = (
  node: { readonly annotations: ReadonlyArray<Ast.Annotation> },
  key: string
): ReadonlyArray<string> => node.annotations.filter((each) => each.key.text === key).map((each) => each.value.text)

/**
 * The scopes whose namespace counts in TypeScript, the first that a file declares.
 *
 * @since 0.1.0
 * @category getters
 */
export const namespaceScopes: ReadonlyArray<string> = ["ts", "js", "*", "go"]

/**
 * The namespace of a file: that of the first scope in `scopes` that it declares, else its lower-cased prefix. A scope
 * `*` stands for the declared `*`.
 *
 * @since 0.1.0
 * @category getters
 */
export const namespace = (file: File, scopes: ReadonlyArray<string> = namespaceScopes): string => {
  for (const scope of scopes) {
    for (const header of file.document.headers) {
      if (header.tag === "Namespace" && header.scope.text === scope) return header.name.text
    }
  }
  return file.prefix.toLowerCase()
}

/**
 * The package of the services of a file, as it is in the paths of streaming calls: the last part of the Go namespace in lower
 * case, as Kitex has it.
 *
 * @since 0.1.0
 * @category getters
 */
export const packageName = (file: File): string => {
  let namespace: string | undefined
  for (const header of file.document.headers) {
    if (header.tag !== "Namespace") continue
    if (header.scope.text === "go") {
      namespace = header.name.text
      break
    }
    // as in thriftgo, the last one counts
    if (header.scope.text === "*") namespace = header.name.text
  }
  return (namespace ?? file.prefix).split(".").at(-1)!.toLowerCase()
}

/**
 * All methods of a service, inherited ones first.
 *
 * @since 0.1.0
 * @category getters
 */
export const allMethods = (service: Service): ReadonlyArray<Method> => {
  const chain: Array<Service> = []
  for (let at: Service | undefined = service; at !== undefined; at = at.extends) chain.push(at)
  return chain.toReversed().flatMap(({ methods }) => methods)
}
