/**
 * Values of policies from outside: decoded, or what is wrong with one in a line.
 *
 * @internal
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"

/** What is wrong, and where in the value; an empty path is the value itself. @internal */
export interface Fault {
  readonly path: string
  readonly desc: string
}

const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()

// A key that nobody knows is a slip of the pen: ignored, it would leave a default in force.
const options = { errors: "all", onExcessProperty: "error", reportInput: true } as const

/** What is longer comes from a value of the wrong kind, which need not be shown whole. */
const longest = 300

const bounded = (text: string): string => (text.length > longest ? `${text.slice(0, longest)}...` : text)

const faultOf = ({ issue }: Schema.SchemaError): Fault => {
  const found = issuesOf(issue).issues.map(({ message, path }) => ({
    desc: `${message.charAt(0).toLowerCase()}${message.slice(1)}`,
    path: (path ?? []).map((part) => String(typeof part === "object" ? part.key : part)).join(".")
  }))
  const { desc, path } = found[0]!
  const more =
    found.length === 1
      ? ""
      : `, and ${found.length - 1} more: ${found
          .slice(1)
          .map(({ path }) => path)
          .join(", ")}`
  return { path: bounded(path), desc: bounded(desc + more) }
}

/** A fault as a person reads it. @internal */
export const faultText = ({ desc, path }: Fault): string => (path === "" ? desc : `${path}: ${desc}`)

/** Decodes values from outside. @internal */
export const decoder = <A>(schema: Schema.Codec<A, unknown>): ((input: unknown) => Result.Result<A, Fault>) => {
  const decode = Schema.decodeUnknownResult(schema)
  return (input) => Result.mapError(decode(input, options), faultOf)
}

/** What is wrong with a value of code, which has the right type. @internal */
export const checker = <A>(schema: Schema.Codec<A, unknown>): ((value: A) => Fault | undefined) => {
  const check = decoder(Schema.toType(schema) as Schema.Codec<A, unknown>)
  return (value) => {
    const result = check(value)
    return Result.isFailure(result) ? result.failure : undefined
  }
}
