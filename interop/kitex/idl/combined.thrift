// Two services that Kitex's generator makes one of (-combine-service): a client of it names no service.
namespace go millrace.combined

service LeftService {
  string Left (1: string text)
}

service RightService {
  string Right (1: string text)
}
