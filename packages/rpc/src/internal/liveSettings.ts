/**
 * The settings of a client's calls, which follow its option `timeouts`.
 *
 * @internal
 */
interface Options {
  readonly timeouts?: { readonly value: object } | undefined
}

/** `Of` are the options of a client or of a call, and `S` what is made of them. @internal */
export class LiveSettings<Of extends object, S> {
  readonly #options: Of & Options
  readonly #settingsOf: (options: Of) => S
  #seen: object | undefined
  #made: S

  constructor(options: Of & Options, settingsOf: (options: Of) => S) {
    this.#options = options
    this.#settingsOf = settingsOf
    this.#seen = options.timeouts?.value
    this.#made = settingsOf({ ...options, ...this.#seen })
  }

  /** Of calls that say nothing. */
  get own(): S {
    const value = this.#options.timeouts?.value
    if (value !== this.#seen) {
      this.#seen = value
      this.#made = this.#settingsOf({ ...this.#options, ...value })
    }
    return this.#made
  }

  /** Of a call with options. */
  of(call: Partial<Of>): S {
    return this.#settingsOf({ ...this.#options, ...this.#options.timeouts?.value, ...call })
  }
}
