// Lower-case names, and two services that extend one of another file.
include "a.b.thrift"

namespace go millrace.dotted.user_api

struct user {
  1: required a.b.user_id id
  2: optional string display_name
  3: a.b.status status = a.b.status.active
  4: map<string, a.b.page> pages
  5: optional user invited_by
}

struct find {
  1: optional a.b.user_id id
  2: a.b.page page
}

service user_service extends a.b.base_service {
  user get_user (1: find find) throws (1: a.b.not_found missing) (streaming.mode="unary")
  user look_up (1: find find) throws (1: a.b.not_found missing)
  user watch (1: find find) (streaming.mode="server")
  find upload (1: user user) (streaming.mode="client")
  user talk (1: find find) (streaming.mode="bidirectional")
  oneway void forget (1: a.b.user_id id)
}

service auditService extends user_service {
  a.b.page log (1: user user, 2: string why)
  a.b.page stream (1: user user) (streaming.mode="bidirectional")
}
