/**
 * Where the text of a file goes, and how files refer to each other.
 */
import type * as Program from "../../Program.ts"
import { type NamespaceOptions, namespaceOf } from "./namespace.ts"

/** @internal */
export interface PlaceOptions extends NamespaceOptions {
  /** A folder for each namespace, with an index; or all files in one folder. */
  readonly layout: "namespace" | "flat"
  /** How imports of generated files end. */
  readonly importExtension: ".js" | ".ts" | ""
}

/**
 * A generated module without its ending.
 *
 * @internal
 */
export interface Place {
  readonly folders: ReadonlyArray<string>
  readonly base: string
}

// an annotation or an option may hold anything, and no name leads out of the folder
const folder = (segment: string): string => segment.replaceAll(/[^\w-]/g, "_")

// imports are URLs, in which some characters of file names mean something else
const module = (prefix: string): string => prefix.replaceAll(/[^\w.-]/g, "_")

const foldersOf = (namespace: string): ReadonlyArray<string> =>
  namespace
    .split(".")
    .filter((segment) => segment !== "")
    .map(folder)

/** @internal */
export const placeOf = (file: Program.File, options: PlaceOptions): Place => {
  const base = module(file.prefix)
  if (options.layout === "flat") return { folders: [], base }
  return {
    folders: foldersOf(namespaceOf(file, options)),
    // the index is of the namespace, also where a file system does not tell upper from lower case
    base: base.toLowerCase() === "index" ? `${base}_` : base
  }
}

/**
 * The index of the folder of a module.
 *
 * @internal
 */
export const indexOf = ({ folders }: Place): Place => ({ folders, base: "index" })

/** @internal */
export const pathOf = ({ folders, base }: Place, ending: string): string => [...folders, base + ending].join("/")

/**
 * The text of an import of one module in another.
 *
 * @internal
 */
export const specifier = (from: Place, to: Place, ending: string): string => {
  let shared = 0
  while (shared < from.folders.length && from.folders[shared] === to.folders[shared]) shared++
  const up = from.folders.length - shared
  const start = up === 0 ? "./" : "../".repeat(up)
  return start + [...to.folders.slice(shared), to.base + ending].join("/")
}
