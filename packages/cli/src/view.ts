/**
 * A file of a program as text for other tools.
 *
 * @since 0.1.0
 */
import * as Printer from "@millrace/idl/Printer"
import * as Program from "@millrace/idl/Program"

/** Integers keep all their digits: those that JSON readers would round are strings. */
const integer = (value: bigint): number | string =>
  value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value)

const toJson = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? integer(each) : each), 2)

/** The syntax tree, with the place of every node in UTF-16 offsets. */
export const json = (file: Program.File): string => toJson({ path: file.source.path, document: file.document })

/** The canonical text. */
export const idl = (file: Program.File): string => Printer.print(file.source, file.document)

/** A type as on the wire: typedefs are looked through. */
const typeText = (type: Program.Type): string => {
  const target = Program.target(type)
  if ("tag" in target)
    return target.tag === "Enum" ? `enum ${qualified(target)}` : `${target.kind} ${qualified(target)}`
  switch (target.kind) {
    case "list":
    case "set":
      return `${target.kind}<${typeText(target.element)}>`
    case "map":
      return `map<${typeText(target.key)}, ${typeText(target.value)}>`
    default:
      return target.kind
  }
}

const qualified = ({ file, name }: Program.Struct | Program.Enum): string => `${file.prefix}.${name}`

const fieldPlan = ({ id, name, requiredness, type }: Program.Field) => ({
  id,
  name,
  requiredness,
  type: typeText(type)
})

const methodPlan = (method: Program.Method) => ({
  name: method.name,
  mode: method.mode,
  arguments: method.arguments.map(fieldPlan),
  result: method.result === undefined ? "void" : typeText(method.result),
  throws: method.throws.map(fieldPlan)
})

/** What is on the wire: enums, structs and services with ids and types, typedefs looked through. */
export const plan = ({ definitions, source }: Program.File): string =>
  toJson({
    path: source.path,
    enums: definitions.flatMap((each) =>
      each.tag === "Enum"
        ? [{ name: each.name, members: each.members.map(({ name, value }) => ({ name, value })) }]
        : []
    ),
    structs: definitions.flatMap((each) =>
      each.tag === "Struct" ? [{ name: each.name, kind: each.kind, fields: each.fields.map(fieldPlan) }] : []
    ),
    services: definitions.flatMap((each) =>
      each.tag === "Service" ? [{ name: each.name, methods: Program.allMethods(each).map(methodPlan) }] : []
    )
  })
