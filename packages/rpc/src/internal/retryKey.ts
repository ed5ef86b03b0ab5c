/**
 * How a call says that it is a retry: Kitex's `TransitKey` (`pkg/retry/util.go`), a persistent value of metainfo, so that calls
 * further down know it too.
 *
 * @internal
 */
import { type Metainfo, receivedKey } from "@millrace/transport/Metainfo"

/** @internal */
export const retryKey = "RetryReq"

const overHttp2 = receivedKey(retryKey)

/** Which attempt a request says that it is, or belongs to: 0 for none. @internal */
export const attemptIn = ({ persistent }: Metainfo): number => {
  const value = persistent.get(retryKey) ?? persistent.get(overHttp2)
  if (value === undefined) return 0
  // That it is there says that it is one.
  return /^[1-9]\d{0,2}$/.test(value) ? Number(value) : 1
}
