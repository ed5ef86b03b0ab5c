/**
 * Indexes of namespaces, each of which exports the modules of its folder, whichever run made them.
 *
 * @since 0.1.0
 */
import * as Emitter from "@millrace/idl/Emitter"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import * as Manifest from "./manifest.ts"
import type { OutputFile } from "./output.ts"
import type { Folder } from "./produce.ts"
import { portable } from "./project.ts"

/** In the layout with indexes no IDL gives a module of this name. */
const isIndex = (file: string): boolean => NodePath.posix.basename(file) === "index.ts"

const isModule = (file: string): boolean => file.endsWith(".ts") && !file.endsWith(".codec.ts") && !isIndex(file)

/** One index for several of the same folder: their first line, and each export once. */
const union = (texts: ReadonlyArray<string>): string => {
  const [header, ...lines] = texts.flatMap((text, i) => text.split("\n").slice(i === 0 ? 0 : 1, -1))
  return `${[header, ...[...new Set(lines)].sort()].join("\n")}\n`
}

/**
 * Adds to the indexes what other IDLs gave to their folders in earlier runs and is still there. A folder that no IDL of
 * this run gives anything to any more gets an index of what remains.
 */
export const complete = (folder: Folder, old: Manifest.Manifest): Folder => {
  const { indexed, path, produced } = folder
  if (indexed === undefined) return folder
  const relative = (file: string) => portable(NodePath.relative(path, file))
  const others = Manifest.others(path, old, new Set(Array.from(produced.keys(), relative)))
  const texts = new Map<string, Array<string>>()
  for (const file of Array.from(produced.values()).flat()) {
    const index = relative(file.path)
    if (isIndex(index)) texts.set(index, [...(texts.get(index) ?? []), file.text])
  }
  const made = new Set(texts.keys())
  for (const [idl, files] of old) {
    if (others.has(idl)) continue
    for (const file of files.keys()) if (isIndex(file) && !made.has(file)) texts.set(file, [])
  }

  const modules = Map.groupBy(
    Array.from(others.values(), (files) => Array.from(files.keys()))
      .flat()
      .filter((file) => isModule(file) && NodeFs.existsSync(NodePath.join(path, file))),
    NodePath.posix.dirname
  )
  const indexes = new Map<string, OutputFile>()
  for (const [index, own] of texts) {
    const name = NodePath.posix.dirname(index)
    const names = (modules.get(name) ?? []).map((file) => NodePath.posix.basename(file, ".ts"))
    if (names.length > 0) own.push(Emitter.indexText(name === "." ? [] : name.split("/"), names, indexed))
    if (own.length > 0) indexes.set(index, { path: NodePath.join(path, index), text: union(own) })
  }
  const remaining = Array.from(indexes).flatMap(([index, file]) => (made.has(index) ? [] : [file]))
  const all = Array.from(produced, ([idl, files], i) => {
    const completed = files.map((file) => indexes.get(relative(file.path)) ?? file)
    return [idl, i === 0 ? [...completed, ...remaining] : completed] as const
  })
  return { ...folder, produced: new Map(all) }
}
