/**
 * What every declared name must be.
 *
 * @internal
 */
import type * as Ast from "../../Ast.ts"
import { report, type Scope } from "./scope.ts"
import { quoted } from "./text.ts"

/**
 * Checks a declared name; `emitted` is the one that it has in TypeScript.
 *
 * @internal
 */
export const checkName = (scope: Scope, name: Ast.Name, emitted: string): void => {
  if (name.text.includes(".")) {
    report(scope, "E_DOTTED_NAME", name, "a declared name must not contain a dot, since nothing could refer to it", {
      hint: "a dot stands only between the name of an included file and a name in it"
    })
  } else if (emitted !== name.text) {
    const message = `${quoted(name.text)} has a meaning of its own in TypeScript there, so it is emitted as ${quoted(emitted)}`
    report(scope, "W_RESERVED_WORD", name, message)
  }
}
