/**
 * What was generated from `kitex-idl/idl`, by the prefix of the file.
 *
 * @since 0.1.0
 */
import * as base from "./generated/a/b/a.b.ts"
import * as api from "./generated/echo/api.ts"
import * as user from "./generated/millrace/dotted/user_api/user.api.ts"
import * as golden from "./generated/millrace/golden/codec/golden.ts"

export const modules: Readonly<Record<string, object>> = { api, "a.b": base, "user.api": user, golden }
