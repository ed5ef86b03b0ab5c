/**
 * Generators of messages from their schemas, biased to the edges of each Thrift type: least and greatest numbers, NaN,
 * -0, nothing, text beyond the basic plane, binaries too large to be copied.
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import type * as AST from "effect/SchemaAST"

// Half of the values stay as they were drawn; the others name an edge.
const picks = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 })))
const kept = 128

/**
 * Values of a schema. They shrink as those of `effect/Arbitrary` do, and edges shrink to ordinary values first.
 *
 * **Example** (What is sent comes back)
 *
 * ```ts
 * import { Codec, Thrift } from "@millrace/codec"
 * import { ThriftArbitrary } from "@millrace/rpc/testing"
 * import { Arbitrary } from "effect"
 *
 * class Request extends Thrift.Struct<Request>("echo.Request")({ message: Thrift.optional(1, Thrift.String) }) {}
 *
 * const codec = Codec.make(Request)
 * const property = Arbitrary.checkEffect(
 *   ThriftArbitrary.schema(Request),
 *   (request) => codec.decode(codec.encode(request)).message === request.message
 * )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const schema = <S extends Schema.Constraint>(schema: S): Arbitrary.Arbitrary<S["Type"]> =>
  Arbitrary.map(Arbitrary.all([Arbitrary.schema(schema), Arbitrary.schema(picks)]), ([value, picks]) => {
    let turn = 0
    const edge = (ast: AST.AST, value: unknown, candidates: ReadonlyArray<unknown>): unknown => {
      const pick = picks.length === 0 ? 0 : picks[turn++ % picks.length]!
      if (pick < kept) return value
      const fitting = candidates.filter(Schema.is(Schema.make<Schema.Schema<unknown>>(ast)))
      return fitting.length === 0 ? value : fitting[(pick - kept) % fitting.length]
    }
    return walk(schema.ast, value, edge)
  })

type Edge = (ast: AST.AST, value: unknown, candidates: ReadonlyArray<unknown>) => unknown

const numbers = [0, -1, 0x7f, -0x80, 0x7fff, -0x8000, 0x7fff_ffff, -0x8000_0000]
const integers = [...numbers, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]
const doubles = [...numbers, -0, Number.NaN, Infinity, -Infinity, Number.MIN_VALUE, Number.MAX_VALUE, 0.1]
const bigints = [0n, -1n, 2n ** 31n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]
const strings = ["", "\0", "é", "\u{1f600}", "\u{10ffff}", "\ufeff", "__proto__", "x".repeat(5000)]
const decimals = ["0", "-1", "9007199254740993", "9223372036854775807", "-9223372036854775808"]
const binaries = [new Uint8Array(0), Uint8Array.of(0), new Uint8Array(5000).fill(0xff)]

const walk = (ast: AST.AST, value: unknown, edge: Edge): unknown => {
  if (value === undefined) return value
  switch (ast._tag) {
    case "String":
      return edge(ast, value, Schema.is(Schema.make<Schema.Schema<unknown>>(ast))("") ? strings : decimals)
    case "Number":
      return edge(ast, value, Schema.is(Schema.make<Schema.Schema<unknown>>(ast))(0.1) ? doubles : integers)
    case "BigInt":
      return edge(ast, value, bigints)
    case "Suspend":
      return walk(ast.thunk(), value, edge)
    case "Arrays":
      return (value as ReadonlyArray<unknown>).map((item, i) => walk(ast.elements[i] ?? ast.rest[0]!, item, edge))
    case "Union":
      return walk(memberOf(ast, value), value, edge)
    case "Objects":
      return fields(ast, value as object, edge)
    case "Declaration":
      return declaration(ast, value, edge)
    default:
      return value
  }
}

const memberOf = (ast: AST.Union, value: unknown): AST.AST =>
  ast.types.find((type) => Schema.is(Schema.make<Schema.Schema<unknown>>(type))(value)) ?? ast.types[0]!

const fields = (ast: AST.Objects, value: object, edge: Edge): Record<string, unknown> => {
  const walked: Record<string, unknown> = {}
  for (const { name, type } of ast.propertySignatures) {
    const key = name as keyof typeof value
    if (key in value) walked[key] = walk(type, value[key], edge)
  }
  return walked
}

const declaration = (ast: AST.Declaration, value: unknown, edge: Edge): unknown => {
  const [first, second] = ast.typeParameters
  if (value instanceof Uint8Array) return edge(ast, value, binaries)
  if (value instanceof Set) return new Set([...value].map((item) => walk(first!, item, edge)))
  if (value instanceof Map) {
    return new Map([...value].map(([key, item]) => [walk(first!, key, edge), walk(second!, item, edge)]))
  }
  // A class: its fields are what it is encoded to.
  const to = ast.encoding?.[0]?.to
  if (to?._tag !== "Objects") return value
  const Class = (value as object).constructor as new (props: object) => object
  return new Class(fields(to, value as object, edge))
}
