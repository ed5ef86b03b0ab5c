import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { median } from "../statistics.ts"
import type { CodecFigures } from "./run.ts"

const program = fileURLToPath(new URL("run.ts", import.meta.url))

/** The median rates of the codecs named, in messages a second. */
export const measureCodec = async (
  peers: ReadonlyArray<string>,
  rounds: number,
  ms: number
): Promise<ReadonlyMap<string, { readonly encode: number; readonly decode: number }>> => {
  const { stdout } = await promisify(execFile)(process.execPath, [program, String(rounds), String(ms), ...peers])
  const figures: Readonly<Record<string, CodecFigures>> = JSON.parse(stdout)
  return new Map(
    Object.entries(figures).map(([name, { encode, decode }]) => [
      name,
      { encode: median(encode), decode: median(decode) }
    ])
  )
}
