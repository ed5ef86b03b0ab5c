/**
 * Services as values: a name, a package, methods. Clients, handlers and servers take their types and their wire names
 * from here. Written by hand, or by `millrace gen` from an IDL.
 *
 * **Example** (A service with two methods)
 *
 * ```ts
 * import { Thrift } from "@millrace/codec"
 * import { Method, Service } from "@millrace/rpc"
 *
 * class Request extends Thrift.Struct<Request>("echo.Request")({ message: Thrift.optional(1, Thrift.String) }) {}
 * class Response extends Thrift.Struct<Response>("echo.Response")({ message: Thrift.optional(1, Thrift.String) }) {}
 * class TestService extends Service.make("TestService", {
 *   package: "echo",
 *   methods: [
 *     Method.bidirectional("Echo", { request: Request, response: Response }),
 *     Method.unary("EchoUnary", { request: Request, response: Response })
 *   ]
 * }) {}
 * ```
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Handlers, HandlersOf, Services, Used } from "./Handlers.ts"
import { type Implementation, implementation } from "./internal/implementation.ts"
import type * as Method from "./Method.ts"

/**
 * Any service.
 *
 * @since 0.1.0
 * @category models
 */
export interface Any {
  readonly name_: string
  readonly package: string
  readonly methods: ReadonlyArray<Method.Any>
  /** Middleware of its handlers, first is outermost. */
  readonly uses: ReadonlyArray<Used>
  /** The service that it extends. */
  readonly base?: Pick<Any, "name_" | "base"> | undefined
}

/**
 * What `Service.make` returns: extend it by a class, which gives the service its name in types and hovers.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServiceClass<
  Name extends string,
  Ms extends ReadonlyArray<Method.Any>,
  out Uses extends Used = never
> extends Any {
  new (_: never): {}
  readonly name_: Name
  readonly methods: Ms
  readonly uses: ReadonlyArray<Uses>
  /**
   * The handlers as a Layer; what they require is what the Layer requires, without `Scope`: each call has one of its
   * own. Pass an effect when building them needs services.
   */
  toLayer<const H extends Handlers<Ms, any>, E = never, RX = never>(
    handlers: H | Effect.Effect<H, E, RX>
  ): Layer.Layer<HandlersOf<Name>, E, Exclude<Services<H[keyof H]> | RX, Scope.Scope | Provided<Uses>>>
  /**
   * The same service behind a middleware that is a Layer (`Middleware.Service`): its handlers may require what that provides.
   * Declared first is outermost; all of them stand inside of the middleware of the server. It keeps its name, so a server lists
   * this one or the one without, not both.
   */
  use<M extends Used>(middleware: M): ServiceClass<Name, Ms, Uses | M>
}

/**
 * What middleware of a service provides to its handlers.
 *
 * @since 0.1.0
 * @category utility types
 */
export type Provided<Uses> = Uses extends { readonly "~Provides"?: (_: never) => infer P } ? P : never

/**
 * Defines a service. Methods of `extends` are called under the child's name; what it uses the child uses, outside of its own.
 * Throws at definition when two methods, inherited ones too, have one name.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <
  const Name extends string,
  const Ms extends ReadonlyArray<Method.Any>,
  const Base extends ReadonlyArray<Method.Any> = [],
  Uses extends Used = never
>(
  name: Name,
  options: {
    readonly package?: string
    readonly extends?: {
      readonly name_: string
      readonly methods: Base
      readonly uses: ReadonlyArray<Uses>
      readonly base?: Any["base"]
    }
    readonly methods: Ms
  }
): ServiceClass<Name, [...Base, ...Ms], Uses> => {
  const methods: ReadonlyArray<Method.Any> = [...(options.extends?.methods ?? []), ...options.methods]
  const seen = new Set<string>()
  for (const method of methods) {
    if (seen.has(method.name)) throw new Error(`Service ${name} has two methods ${method.name}: rename one of them`)
    seen.add(method.name)
  }
  return class {
    static readonly name_ = name
    static readonly package = options.package ?? ""
    static readonly methods = methods
    static readonly base = options.extends
    static readonly uses: ReadonlyArray<Used> = options.extends?.uses ?? []
    static use(middleware: Used) {
      const uses = [...this.uses, middleware]
      return class extends this {
        static override readonly uses = uses
      }
    }
    static toLayer(handlers: object | Effect.Effect<object>): Layer.Layer<HandlersOf<Name>> {
      const build = Effect.isEffect(handlers) ? (handlers as Effect.Effect<object>) : Effect.succeed(handlers)
      return Layer.effect(
        implementation(this),
        Effect.contextWith((context: Context.Context<never>) =>
          Effect.map(build, (built): Implementation => ({
            handlers: built as Implementation["handlers"],
            context,
            uses: this.uses
          }))
        )
      )
    }
  } as unknown as ServiceClass<Name, [...Base, ...Ms], Uses>
}
