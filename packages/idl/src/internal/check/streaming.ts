/**
 * The annotation `streaming.mode`. Kitex finds much of what is wrong with it late or never.
 *
 * @internal
 */
import type * as Ast from "../../Ast.ts"
import type * as Program from "../../Program.ts"
import { related, report, type Scope, shape } from "./scope.ts"
import { nearest } from "./suggest.ts"
import { quoted, short, typeText } from "./text.ts"

const key = "streaming.mode"

const modes = ["bidirectional", "client", "server", "unary"] as const

/**
 * @internal
 */
export type Mode = (typeof modes)[number]

const isMode = (text: string): text is Mode => (modes as ReadonlyArray<string>).includes(text)

/**
 * The mode of a streaming function; undefined for PingPong and oneway, and where no value is legal.
 *
 * @internal
 */
export const resolveMode = (scope: Scope, node: Ast.Function): Mode | undefined => {
  checkSpelling(scope, node)
  const all = node.annotations.filter((each) => each.key.text === key)
  const [first, ...others] = all
  if (first === undefined) return undefined
  const name = short(node.name.text)
  for (const other of others) {
    report(
      scope,
      "E_STREAM_MULTIPLE",
      other,
      `${name} has multiple values for annotation streaming.mode (at most 1 allowed)`,
      {
        related: [related(scope, first, "the first one")],
        hint: "a method has at most one streaming.mode"
      }
    )
  }
  for (const { value } of all) checkValue(scope, value)
  if (node.arguments.length !== 1) {
    report(scope, "E_STREAM_ARGS", node.argumentsSpan, `streaming function ${name} should have exactly 1 argument`, {
      hint: "a streaming method has exactly one request: put what it takes into one struct"
    })
  }
  const mode = all.map(({ value }) => value.text).find(isMode)
  if (node.oneway !== undefined) {
    report(
      scope,
      "E_STREAM_ONEWAY",
      node.oneway,
      `streaming function ${name} cannot be oneway: a streaming method has exactly one response`,
      {
        related: [related(scope, first, "its streaming.mode")]
      }
    )
  } else if (mode !== undefined && mode !== "unary" && node.result === undefined) {
    report(
      scope,
      "E_STREAM_VOID",
      node.name,
      `streaming function ${name} has no response: a streaming method has exactly one response`,
      {
        hint: "return a struct instead of void"
      }
    )
  }
  if (mode === "unary") {
    report(
      scope,
      "W_STREAM_UNARY",
      first.value,
      `${name} is a single call over a stream, which costs more than a plain call`,
      {
        hint: "leave streaming.mode out, unless its peer has it"
      }
    )
  } else if (mode !== undefined && node.throwsSpan !== undefined && node.throws.length > 0) {
    report(
      scope,
      "W_STREAM_THROWS",
      node.throwsSpan,
      `Kitex drops the exceptions of the streaming function ${name} in silence`,
      {
        hint: "let it fail with a status or a business status"
      }
    )
  }
  return mode
}

const checkValue = (scope: Scope, value: Ast.Literal): void => {
  if (isMode(value.text)) return
  const plain = value.text.trim().toLowerCase()
  const longer = plain === "" ? undefined : modes.find((mode) => mode.startsWith(plain))
  const near = longer ?? nearest(plain, modes, scope.run.budget)
  const hint = near === undefined ? "" : `; did you mean ${quoted(near)}?`
  report(scope, "E_STREAM_MODE", value, `invalid value (${short(value.text)}) for annotation streaming.mode`, {
    hint: `it is one of ${modes.join(", ")}${hint}`
  })
}

/** Keys that Kitex ignores, but somebody meant. */
const checkSpelling = (scope: Scope, node: Ast.Function): void => {
  for (const { key: written } of node.annotations) {
    if (written.text === key) continue
    const plain = written.text.toLowerCase().replaceAll(/[._]/g, "")
    if (
      nearest(plain, ["streamingmode", "streammode"], scope.run.budget) === undefined &&
      plain !== "streamingmode" &&
      plain !== "streammode"
    )
      continue
    report(
      scope,
      "W_STREAM_TYPO",
      written,
      `Kitex ignores the annotation ${short(written.text)}, so ${short(node.name.text)} is no streaming function`,
      {
        hint: 'did you mean "streaming.mode"?'
      }
    )
  }
}

/**
 * A message of a stream is a struct, union or exception.
 *
 * @internal
 */
export const checkMessage = (scope: Scope, what: "request" | "response", type: Program.Type): void => {
  const found = shape(scope.run, type)
  if ("tag" in found && found.tag === "Struct") return
  report(
    scope,
    "E_STREAM_TYPE",
    type.node,
    `the ${what} of a streaming method is ${typeText(type.node)}, and must be a struct`,
    {
      hint: "Kitex compiles this, and fails to send it: codec msg type not match with thriftCodec"
    }
  )
}

/**
 * Reports the annotation where Kitex does not look for it.
 *
 * @internal
 */
export const checkMisplaced = (
  scope: Scope,
  where: string,
  node: { readonly annotations: ReadonlyArray<Ast.Annotation> }
): void => {
  for (const annotation of node.annotations) {
    if (annotation.key.text !== key) continue
    report(scope, "W_STREAM_MISPLACED", annotation, `streaming.mode on ${where} is ignored`, {
      hint: 'write it in parentheses behind the function: f(1: Request request) (streaming.mode="client")'
    })
  }
}
