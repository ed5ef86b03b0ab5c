import { CodecError } from "@millrace/codec"

/** The value, or the `CodecError`; any other error is a failure of the test. */
export const verdict = <A>(run: () => A): A | CodecError.CodecError => {
  try {
    return run()
  } catch (error) {
    if (error instanceof CodecError.CodecError) {
      // the walker must find every failure
      if (error.detail.includes("invalid Thrift value"))
        throw new Error(`unexplained failure at ${error.path}`, { cause: error })
      return error
    }
    throw error
  }
}

/** Pseudo-random numbers that are the same in every run. */
export const generator = (seed: number) => {
  let state = seed >>> 0
  return (limit: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}
