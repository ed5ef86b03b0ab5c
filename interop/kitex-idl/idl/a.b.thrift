// No namespace and a dot in the file's name: both decide where Kitex puts the code and what it calls the package.

typedef i64 user_id

enum status {
  active = 1
  gone = -1
}

struct page {
  1: i32 size = 20
  2: optional string after
}

exception not_found {
  1: user_id id
  2: optional string name
}

service base_service {
  page ping (1: page page)
  page watch_all (1: page page) (streaming.mode="server")
}
