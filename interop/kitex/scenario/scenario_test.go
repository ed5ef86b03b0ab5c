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
	if middleware, ok := os.LookupEnv("INTEROP_SERVER"); ok {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			panic(err)
		}
		fmt.Println("listening on", ln.Addr())
		if err := peer.Serve(ln, peer.Options{Grace: 400 * time.Millisecond, Middleware: middleware}); err != nil {
			panic(err)
		}
		return
	}
	klog.SetLevel(klog.LevelFatal)
	os.Exit(m.Run())
}

func serve(t *testing.T, middleware string) string {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "INTEROP_SERVER="+middleware)
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
	shared := serve(t, "")
	for _, name := range Names() {
		address := shared
		switch {
		case strings.HasPrefix(name, "drain"), name == "connection-loss":
			address = serve(t, "")
		case strings.HasPrefix(name, "middleware-"):
			address = serve(t, "rewrite")
		case strings.HasPrefix(name, "refused-by-middleware-"):
			address = serve(t, "overlimit")
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
