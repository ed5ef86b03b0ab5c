// What routing is about: services that share a method, each with one of its own. A handler answers its own name.
namespace go millrace.routes

service First {
  string Shared ()
  string OnlyFirst ()
}

service Second {
  string Shared ()
  string OnlySecond ()
}
