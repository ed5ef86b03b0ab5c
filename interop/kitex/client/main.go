// Command client runs scenarios of the interoperability suite against a server and prints one line of JSON for each.
//
//	client --address HOST:PORT --scenario NAME [--n N] [--size BYTES] [--encoding E] [--connection C] [--plain] [--checksum]
//	client --serve-commands    (one JSON object {"scenario","address","n","size","calls"} a line on standard input)
//	client --list
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"github.com/cloudwego/kitex/pkg/klog"
	"millrace.dev/interop/scenario"
)

func main() {
	klog.SetLevel(klog.LevelFatal)
	address := flag.String("address", "", "HOST:PORT of the server")
	name := flag.String("scenario", "", "name of a scenario")
	n := flag.Int("n", -1, "how many messages, calls or streams; each scenario has a default")
	size := flag.Int("size", 0, "bytes of the blob in each message")
	var calls scenario.CallOptions
	flag.StringVar(&calls.Encoding, "encoding", "", "of PingPong calls: buffered, framed, ttheader or ttheader-framed")
	flag.StringVar(&calls.Connection, "connection", "", "of PingPong calls: long, short or mux")
	flag.BoolVar(&calls.Plain, "plain", false, "PingPong calls without the keys of a TTHeader")
	flag.BoolVar(&calls.Checksum, "checksum", false, "PingPong calls with CRC-32C")
	commands := flag.Bool("serve-commands", false, "read scenarios from standard input")
	list := flag.Bool("list", false, "print the names of the scenarios")
	flag.Parse()
	out := json.NewEncoder(os.Stdout)
	switch {
	case *list:
		for _, name := range scenario.Names() {
			fmt.Println(name)
		}
	case *commands:
		lines := bufio.NewScanner(os.Stdin)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var c scenario.Case
			if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(2)
			}
			out.Encode(scenario.Run(c))
		}
	default:
		c := scenario.Case{Scenario: *name, Address: *address, Size: *size, Calls: calls}
		if *n >= 0 {
			c.N = n
		}
		r := scenario.Run(c)
		out.Encode(r)
		if !r.OK {
			os.Exit(1)
		}
	}
}
