/**
 * The options of a client and of a call that say what stands around the whole of it: those of the call win.
 *
 * @internal
 */
import type { CallPolicy } from "../CallPolicy.ts"

interface Options {
  readonly retry?: CallPolicy | undefined
  readonly fallback?: CallPolicy | undefined
}

/** @internal */
export class PolicyOptions {
  readonly #client: Options
  readonly #usual: Options | undefined

  constructor({ fallback, retry }: Options) {
    this.#client = { fallback, retry }
    this.#usual = orNothing(this.#client)
  }

  /** Undefined where neither is there: the call is but itself. */
  of(call: Options | undefined): Options | undefined {
    if (call === undefined || !("retry" in call || "fallback" in call)) return this.#usual
    return orNothing({ ...this.#client, ...call })
  }
}

const orNothing = (options: Options): Options | undefined =>
  options.fallback === undefined && options.retry === undefined ? undefined : options
