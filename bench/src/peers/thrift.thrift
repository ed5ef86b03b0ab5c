struct Message {
  1: optional string message
}

struct Blob {
  1: optional binary bytes
}

service TestService {
  Message EchoPingPong(1: Message req)
  Message PutBlob(1: Blob req)
}
