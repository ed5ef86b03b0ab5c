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
	grace := flag.Duration("grace", 400*time.Millisecond, "how long streams may go on after a stop")
	middleware := flag.String("middleware", "", "error, overlimit, acl or rewrite")
	flag.Parse()
	ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", ln.Addr())
	if err := peer.Serve(ln, peer.Options{Grace: *grace, Middleware: *middleware}); err != nil {
		log.Fatal(err)
	}
}
