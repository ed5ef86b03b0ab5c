// What a client knows and the server does not: methods of services that are there, and a service that is not.
namespace go millrace.strangers

service First {
  string OnlySecond ()
  string Nobody ()
  oneway void NobodyHears ()
}

service Nowhere {
  string Shared ()
  string OnlyFirst ()
  string OnlySecond ()
  string Nobody ()
}

// a method that the service of the other IDL lacks
service CallsService {
  string Missing (1: string text)
}
