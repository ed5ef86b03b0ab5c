package scenario

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/cloudwego/kitex/pkg/klog"
	"millrace.dev/interop/peer"
)

// The test program serves as its own server process, because some scenarios stop the server.
func TestMain(m *testing.M) {
	if text, ok := os.LookupEnv("INTEROP_SERVER"); ok {
		var o peer.Options
		if err := json.Unmarshal([]byte(text), &o); err != nil {
			panic(err)
		}
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			panic(err)
		}
		fmt.Println("listening on", ln.Addr())
		if err := peer.Serve(ln, o); err != nil {
			panic(err)
		}
		return
	}
	klog.SetLevel(klog.LevelFatal)
	os.Exit(m.Run())
}

func serve(t *testing.T, o peer.Options) string {
	o.Grace = 400 * time.Millisecond
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "INTEROP_SERVER="+string(text))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(strings.TrimPrefix(line, "listening on "))
}

func run(t *testing.T, c Case) {
	name := c.Scenario
	if c.N != nil {
		name += fmt.Sprintf("/n=%d", *c.N)
	}
	if c.Size != 0 {
		name += fmt.Sprintf("/size=%d", c.Size)
	}
	if c.Calls != (CallOptions{}) {
		name += fmt.Sprintf("/%+v", c.Calls)
	}
	t.Run(name, func(t *testing.T) {
		r := Run(c)
		seen, _ := json.Marshal(r.Seen)
		if !r.OK {
			t.Errorf("%s; saw %s", r.Detail, seen)
		}
		t.Logf("%d ms %s", r.Millis, seen)
	})
}

// A Kitex client against a Kitex server passes every scenario: so what a scenario checks is what Kitex does.
func TestKitexAgainstKitex(t *testing.T) {
	shared := serve(t, peer.Options{})
	for _, name := range Names() {
		address := shared
		switch {
		case pingPongs()[name] != nil:
			continue
		case strings.HasPrefix(name, "ask-"):
			continue
		case strings.HasPrefix(name, "drain"), name == "connection-loss", strings.HasSuffix(name, "-exit"):
			address = serve(t, peer.Options{})
		case name == "ttstream":
			address = serve(t, peer.Options{Services: "streamx"})
		case strings.HasPrefix(name, "middleware-"):
			address = serve(t, peer.Options{Middleware: "rewrite"})
		case name == "context-map":
			address = serve(t, peer.Options{Middleware: "context-map"})
		case strings.HasPrefix(name, "refused-by-middleware-"):
			address = serve(t, peer.Options{Middleware: "overlimit"})
		}
		run(t, Case{Scenario: name, Address: address})
	}
	for _, prefix := range []string{"", "gzip-"} {
		for _, mode := range []string{"bidi", "client", "server", "unary"} {
			for _, n := range []int{0, 1, 1000} {
				run(t, Case{Scenario: prefix + mode, Address: shared, N: &n})
			}
			run(t, Case{Scenario: prefix + mode, Address: shared, Size: 4 << 20})
		}
	}
	n := 200
	run(t, Case{Scenario: "streams", Address: shared, N: &n})
}

var encodings = []string{"buffered", "framed", "ttheader", "ttheader-framed"}

// The PingPong scenarios, in every encoding and on every kind of connection.
func TestCalls(t *testing.T) {
	shared := serve(t, peer.Options{})
	mux := serve(t, peer.Options{Mux: true})
	many := 2000
	variants := []CallOptions{}
	for _, encoding := range encodings {
		for _, plain := range []bool{false, true} {
			if plain && (encoding == "buffered" || encoding == "framed") {
				continue
			}
			variants = append(variants, CallOptions{Encoding: encoding, Plain: plain})
		}
	}
	for _, o := range variants {
		for _, name := range Names() {
			if pingPongs()[name] != nil && !special(name) {
				run(t, Case{Scenario: name, Address: shared, Calls: o})
			}
		}
		for _, size := range []int{1 << 20, 16 << 20} {
			run(t, Case{Scenario: "call-big", Address: shared, Calls: o, Size: size})
		}
		run(t, Case{Scenario: "call-many", Address: shared, Calls: o, N: &many})
		run(t, Case{Scenario: "call-many", Address: shared, Calls: o, N: ptr(200), Size: 100_000})
		o.Connection = "short"
		run(t, Case{Scenario: "call-many", Address: shared, Calls: o, N: ptr(200)})
		run(t, Case{Scenario: "call-peers", Address: shared, Calls: o})
		if !strings.HasPrefix(o.Encoding, "tt") {
			continue
		}
		o.Connection = "mux"
		for _, address := range []string{shared, mux} {
			run(t, Case{Scenario: "call-shapes", Address: address, Calls: o})
			run(t, Case{Scenario: "call-many", Address: address, Calls: o, N: &many})
			run(t, Case{Scenario: "call-peers", Address: address, Calls: o})
			run(t, Case{Scenario: "call-metainfo", Address: address, Calls: o})
		}
	}
}

// special scenarios need a server of their own.
func special(name string) bool {
	return strings.HasPrefix(name, "call-routes") || strings.HasPrefix(name, "call-checksum") || name == "call-combined" ||
		name == "call-stop" || name == "call-middleware-server" || name == "call-refused-by-middleware"
}

func TestCallServers(t *testing.T) {
	checksum := serve(t, peer.Options{Checksum: true})
	routes := serve(t, peer.Options{Services: "routes"})
	refuse := serve(t, peer.Options{Services: "routes", Refuse: true})
	unknown := serve(t, peer.Options{Services: "routes", Unknown: true})
	combined := serve(t, peer.Options{Services: "combined"})
	rewrite := serve(t, peer.Options{Middleware: "rewrite"})
	overlimit := serve(t, peer.Options{Middleware: "overlimit"})
	shared := serve(t, peer.Options{})
	for _, encoding := range encodings {
		o := CallOptions{Encoding: encoding}
		run(t, Case{Scenario: "call-routes", Address: routes, Calls: o})
		run(t, Case{Scenario: "call-routes-refuse", Address: refuse, Calls: o})
		run(t, Case{Scenario: "call-routes-unknown", Address: unknown, Calls: o})
		run(t, Case{Scenario: "call-combined", Address: combined, Calls: o})
		run(t, Case{Scenario: "call-middleware-server", Address: rewrite, Calls: o})
		run(t, Case{Scenario: "call-refused-by-middleware", Address: overlimit, Calls: o})
		run(t, Case{Scenario: "call-stop", Address: serve(t, peer.Options{}), Calls: o})
		if strings.HasPrefix(encoding, "tt") {
			run(t, Case{Scenario: "call-checksum-wrong", Address: checksum, Calls: o})
			o.Checksum = true
			run(t, Case{Scenario: "call-shapes", Address: checksum, Calls: o, Size: 100_000})
			run(t, Case{Scenario: "call-shapes", Address: shared, Calls: o})
		}
	}
}

func pingPongs() map[string]function {
	m := map[string]function{}
	pingPong(m)
	return m
}
