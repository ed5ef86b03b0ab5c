// Command server is the Kitex server of the interoperability suite. It prints `listening on HOST:PORT` when it is ready.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"time"

	"millrace.dev/interop/peer"
)

func main() {
	port := flag.Int("port", 0, "TCP port on 127.0.0.1, 0 for any")
	var o peer.Options
	flag.DurationVar(&o.Grace, "grace", 400*time.Millisecond, "how long streams may go on after a stop")
	flag.StringVar(&o.Middleware, "middleware", "", "error, overlimit, acl, rewrite or context-map")
	flag.BoolVar(&o.Plain, "plain", false, "without the handlers of TTHeader's keys")
	flag.BoolVar(&o.Mux, "mux", false, "the transport for multiplexed clients")
	flag.BoolVar(&o.Checksum, "checksum", false, "write and check CRC-32C")
	flag.BoolVar(&o.WrongChecksum, "wrong-checksum", false, "answers have a wrong checksum")
	flag.IntVar(&o.SizeLimit, "size-limit", 0, "bytes of a message")
	flag.StringVar(&o.Services, "services", "", "routes, conflict, combined or streamx")
	flag.BoolVar(&o.Refuse, "refuse", false, "turn calls away that name no service")
	flag.BoolVar(&o.Unknown, "unknown", false, "answer what no service has")
	flag.BoolVar(&o.ContextTimeout, "context-timeout", false, "handlers have the deadline of the caller")
	flag.BoolVar(&o.Otel, "otel", false, "traced by Kitex's OpenTelemetry suite, as the calls of the handlers are")
	flag.BoolVar(&o.Prometheus, "prometheus", false, "counted by Kitex's Prometheus monitor")
	flag.StringVar(&o.Registration.Etcd, "etcd", "", "HOST:PORT of an etcd that it registers in")
	flag.StringVar(&o.Registration.Service, "service", "interop-go", "the name that it registers by")
	flag.IntVar(&o.Registration.Weight, "weight", 10, "the weight that it registers with")
	flag.StringVar(&o.Registration.Tags, "tags", "", "key=value,... that it registers with")
	flag.IntVar(&o.Registration.Lease, "lease", 60, "seconds that it stays registered after a crash")
	flag.Parse()
	ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", ln.Addr())
	if err := peer.Serve(ln, o); err != nil {
		log.Fatal(err)
	}
}
