/**
 * How names and types are shown in a message.
 *
 * @internal
 */
import type * as Ast from "../../Ast.ts"

/**
 * A text that may be of any length, cut for a message.
 *
 * @internal
 */
export const short = (text: string): string => (text.length <= 80 ? text : `${text.slice(0, 77)}...`)

/**
 * In quotes.
 *
 * @internal
 */
export const quoted = (text: string): string => `"${short(text)}"`

/**
 * The type as it is written.
 *
 * @internal
 */
export const typeText = (type: Ast.Type): string => {
  switch (type.tag) {
    case "BaseType":
      return type.name
    case "NamedType":
      return short(type.name.text)
    case "ListType":
      return `list<${typeText(type.element)}>`
    case "SetType":
      return `set<${typeText(type.element)}>`
    case "MapType":
      return `map<${typeText(type.key)}, ${typeText(type.value)}>`
  }
}
