struct Message {
  1: optional string message
}

struct Blob {
  1: optional binary bytes
}

service TestService {
  Message EchoPingPong(1: Message req)
  Blob EchoPingPongBlob(1: Blob req)
}
