/**
 * The module of encoders and decoders beside the schemas of a file.
 */
import * as CodecText from "@millrace/codec/CodecText"
import type * as Program from "../../Program.ts"
import type { Plans } from "../plan.ts"
import { exportName } from "./names.ts"

/**
 * The text for the structs, unions and exceptions of one file. `moduleOf` gives the specifier of the module of codecs of
 * another file.
 *
 * @internal
 */
export const codecText = (
  structs: ReadonlyArray<Program.Struct>,
  plans: Plans,
  moduleOf: (file: Program.File) => string
): string =>
  CodecText.print(
    structs.map((struct) => ({ name: exportName(struct.name), plan: plans.of(struct) })),
    {
      imported: (plan) => {
        const { file, name } = plans.struct(plan)
        return { from: moduleOf(file), name: exportName(name) }
      }
    }
  )
