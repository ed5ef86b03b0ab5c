/**
 * What a run wrote into a folder, kept there, so that a later run can remove what is no longer produced and nothing else.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as NodeCrypto from "node:crypto"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { type Failure, usage } from "./failure.ts"
import { type OutputFile, readIfThere } from "./output.ts"
import { portable, shown } from "./project.ts"

/** By IDL, then by generated file, the hash of its text. All paths are relative to the folder of the manifest. */
export type Manifest = ReadonlyMap<string, ReadonlyMap<string, string>>

const pathOf = (folder: string): string => NodePath.join(folder, ".millrace-manifest.json")

const hashOf = (text: string): string => NodeCrypto.createHash("sha256").update(text).digest("hex")

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A manifest that names files outside of its folder must not make this command remove them. */
const isInside = (file: string): boolean => !NodePath.isAbsolute(file) && !file.split(/[/\\]/).includes("..")

const parse = (text: string): Manifest | undefined => {
  try {
    const content: unknown = JSON.parse(text)
    if (!isRecord(content)) return undefined
    const manifest = new Map<string, ReadonlyMap<string, string>>()
    for (const [idl, files] of Object.entries(content)) {
      if (!isRecord(files)) return undefined
      const hashes = new Map<string, string>()
      for (const [file, hash] of Object.entries(files)) {
        if (typeof hash !== "string" || !isInside(file)) return undefined
        hashes.set(file, hash)
      }
      manifest.set(idl, hashes)
    }
    return manifest
  } catch {
    return undefined
  }
}

/** Reads the manifest of a folder; without one it is empty. */
export const read = Effect.fnUntraced(function* (folder: string): Effect.fn.Return<Manifest, Failure> {
  const text = yield* readIfThere(pathOf(folder))
  if (text === undefined) return new Map()
  const manifest = parse(text)
  if (manifest !== undefined) return manifest
  return yield* usage(`${shown(pathOf(folder))} is not a manifest of millrace: remove it and run again`)
})

const sorted = <A>(map: ReadonlyMap<string, A>): ReadonlyArray<readonly [string, A]> =>
  Array.from(map).sort(([a], [b]) => (a < b ? -1 : 1))

/** The manifest as a file of its folder. */
export const toFile = (folder: string, manifest: Manifest): OutputFile => {
  const content = sorted(manifest).map(([idl, files]) => [idl, Object.fromEntries(sorted(files))] as const)
  return { path: pathOf(folder), text: `${JSON.stringify(Object.fromEntries(content), null, 2)}\n` }
}

/** What a run produced in one folder: by absolute path of the IDL, its files. */
export type Produced = ReadonlyMap<string, ReadonlyArray<OutputFile>>

/** The manifest entries of a run. */
export const record = (folder: string, produced: Produced): Manifest => {
  const relative = (path: string) => portable(NodePath.relative(folder, path))
  return new Map(
    Array.from(produced, ([idl, files]) => [
      relative(idl),
      new Map(files.map(({ path, text }) => [relative(path), hashOf(text)] as const))
    ])
  )
}

/** Old entries and those of the run. What an IDL no longer produces stays known, until it is cleaned away. */
export const merge = (old: Manifest, run: Manifest): Manifest => {
  const merged = new Map(old)
  for (const [idl, files] of run) merged.set(idl, new Map([...(old.get(idl) ?? []), ...files]))
  return merged
}

/** What IDLs give that the run does not compile, as long as they are there. */
export const others = (folder: string, old: Manifest, run: Pick<Manifest, "has">): Manifest =>
  new Map(Array.from(old).filter(([idl]) => !run.has(idl) && NodeFs.existsSync(NodePath.resolve(folder, idl))))

/** The part of a manifest that is about these files. */
const withFiles = (manifest: Manifest, names: ReadonlySet<string>): Manifest =>
  new Map(
    Array.from(manifest)
      .map(([idl, files]) => [idl, new Map(Array.from(files).filter(([file]) => names.has(file)))] as const)
      .filter(([, files]) => files.size > 0)
  )

export interface Cleaning {
  readonly manifest: Manifest
  /** Files to remove, absolute. */
  readonly remove: ReadonlyArray<string>
  /** Files that a person edited, absolute; they stay, and in the manifest too, to be mentioned again. */
  readonly edited: ReadonlyArray<string>
}

/**
 * Parts the files that nothing produces any more from the others: those of the run's IDLs that it did not produce, and those
 * of IDLs that are gone.
 */
export const clean = Effect.fnUntraced(function* (
  folder: string,
  old: Manifest,
  run: Manifest
): Effect.fn.Return<Cleaning, Failure> {
  const living = new Map([...run, ...others(folder, old, run)])
  // Two IDLs may have given a file with two texts, as an index that has grown.
  const candidates = new Map<string, Set<string>>()
  for (const [idl, files] of old) {
    if (living.has(idl) && !run.has(idl)) continue
    for (const [file, hash] of files) candidates.set(file, (candidates.get(file) ?? new Set()).add(hash))
  }
  const produced = new Set(Array.from(living.values(), (files) => Array.from(files.keys())).flat())
  const remove: Array<string> = []
  const edited: Array<string> = []
  for (const [file, hashes] of candidates) {
    if (produced.has(file)) continue
    const text = yield* readIfThere(NodePath.join(folder, file))
    if (text === undefined) continue
    if (hashes.has(hashOf(text))) remove.push(file)
    else edited.push(file)
  }
  const manifest = new Map(living)
  for (const [idl, files] of withFiles(old, new Set(edited))) {
    manifest.set(idl, new Map([...files, ...(living.get(idl) ?? [])]))
  }
  const absolute = (files: ReadonlyArray<string>) => files.map((file) => NodePath.join(folder, file)).sort()
  return { manifest, remove: absolute(remove), edited: absolute(edited) }
})

/** Whether a person changed a file since a run wrote it. What no run is known to have written is not edited. */
export const isEdited = Effect.fnUntraced(function* (
  folder: string,
  manifest: Manifest,
  path: string
): Effect.fn.Return<boolean, Failure> {
  const file = portable(NodePath.relative(folder, path))
  const hashes = Array.from(manifest.values(), (files) => files.get(file)).filter((hash) => hash !== undefined)
  if (hashes.length === 0) return false
  const text = yield* readIfThere(path)
  return text !== undefined && !hashes.includes(hashOf(text))
})
