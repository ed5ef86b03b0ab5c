// The Go peers of the benchmark: grpc-go, Kitex over gRPC, by TTHeader streaming and by PingPong, with the same closed loops and the same
// protocol on stdin and stdout as the Node peers (src/peer.ts).
//
//	peer server grpc-go|kitex|kitex-ttstream|kitex-mux
//	peer client grpc-go|kitex|kitex-ttstream|kitex-mux PORT
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type benchCase struct {
	Kind     string `json:"kind"`
	Streams  int    `json:"streams"`
	Inflight int    `json:"inflight"`
	Size     int    `json:"size"`
	Batch    int    `json:"batch"`
	Encoding string `json:"encoding"`
}

type command struct {
	Op      string    `json:"op"`
	Case    benchCase `json:"case"`
	Warmup  int       `json:"warmup"`
	Measure int       `json:"measure"`
	Streams int       `json:"streams"`
}

// bidi is one bidirectional stream.
type bidi interface {
	send(message string) error
	recv() error
	closeSend() error
}

// caller is the client side of an implementation.
type caller interface {
	bidi() (bidi, error)
	serverStream(request string, each func()) error
	clientStream(n int, message string) error
	unary(message string) error
}

// pingPonger is a caller of ordinary Thrift calls too.
type pingPonger interface {
	call(encoding string, message string) error
}

func main() {
	if len(os.Args) > 3 && os.Args[1] == "client" {
		clients := map[string]func(string) caller{
			"grpc-go": newGrpcGo, "kitex": newKitex, "kitex-ttstream": newKitexTTStream, "kitex-mux": newKitexMux,
		}
		runClient(clients[os.Args[2]]("127.0.0.1:" + os.Args[3]))
		return
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	report(map[string]any{"ready": true, "port": listener.Addr().(*net.TCPAddr).Port})
	servers := map[string]func(net.Listener){
		"grpc-go": serveGrpcGo, "kitex": serveKitex, "kitex-ttstream": serveKitex, "kitex-mux": serveKitexMux,
	}
	go servers[os.Args[2]](listener)
	commands(func(c command) { usage(c.Op == "settle") })
}

func runClient(peer caller) {
	report(map[string]any{"ready": true})
	var idle []bidi
	commands(func(c command) {
		switch c.Op {
		case "run":
			run(peer, c)
		case "open":
			for range c.Streams {
				s, err := peer.bidi()
				must(err)
				must(s.send("x"))
				must(s.recv())
				idle = append(idle, s)
			}
			report(map[string]any{"opened": len(idle)})
		default:
			usage(c.Op == "settle")
		}
	})
}

func run(peer caller, c command) {
	var count atomic.Int64
	var stop, measuring atomic.Bool
	var running sync.WaitGroup
	var lock sync.Mutex
	var latencies []float64
	message := strings.Repeat("x", c.Case.Size)
	single := c.Case.Inflight == 1 && (c.Case.Kind == "pingPong" || c.Case.Kind == "unary" || c.Case.Kind == "call")
	roundTrip := func(started time.Time) {
		if measuring.Load() {
			lock.Lock()
			latencies = append(latencies, float64(time.Since(started).Nanoseconds())/1e3)
			lock.Unlock()
		}
	}
	loop := func(body func()) {
		running.Go(func() {
			for !stop.Load() {
				started := time.Now()
				body()
				if single {
					roundTrip(started)
				}
			}
		})
	}
	switch c.Case.Kind {
	case "echo":
		for range c.Case.Streams {
			running.Go(func() { echoLoop(peer, c.Case.Inflight, message, &count, &stop) })
		}
	case "pingPong":
		s, err := peer.bidi()
		must(err)
		loop(func() {
			must(s.send(message))
			must(s.recv())
			count.Add(1)
		})
	case "serverStream":
		request := fmt.Sprintf("%d:%d", c.Case.Batch, c.Case.Size)
		loop(func() { must(peer.serverStream(request, func() { count.Add(1) })) })
	case "firstMessage":
		request := fmt.Sprintf("1:%d", c.Case.Size)
		loop(func() {
			started := time.Now()
			must(peer.serverStream(request, func() {
				roundTrip(started)
				count.Add(1)
			}))
		})
	case "clientStream":
		loop(func() {
			must(peer.clientStream(c.Case.Batch, message))
			count.Add(int64(c.Case.Batch))
		})
	case "unary":
		for range c.Case.Inflight {
			loop(func() {
				must(peer.unary(message))
				count.Add(1)
			})
		}
	case "call":
		calls := peer.(pingPonger)
		for range c.Case.Inflight {
			loop(func() {
				must(calls.call(c.Case.Encoding, message))
				count.Add(1)
			})
		}
	}
	time.Sleep(time.Duration(c.Warmup) * time.Millisecond)
	report(map[string]any{"event": "measuring"})
	measuring.Store(true)
	count0, cpu0, started := count.Load(), cpu(), time.Now()
	time.Sleep(time.Duration(c.Measure) * time.Millisecond)
	count1, cpu1, elapsed := count.Load(), cpu(), time.Since(started)
	measuring.Store(false)
	report(map[string]any{"event": "measured"})
	stop.Store(true)
	running.Wait()
	slices.Sort(latencies)
	report(map[string]any{
		"messages": count1 - count0, "elapsed": elapsed.Seconds(), "cpu": cpu1 - cpu0,
		"p50": quantile(latencies, 0.5), "p99": quantile(latencies, 0.99),
	})
}

func echoLoop(peer caller, inflight int, message string, count *atomic.Int64, stop *atomic.Bool) {
	s, err := peer.bidi()
	must(err)
	for range inflight {
		must(s.send(message))
	}
	for inflight > 0 {
		must(s.recv())
		count.Add(1)
		if stop.Load() {
			inflight--
		} else {
			must(s.send(message))
		}
	}
	must(s.closeSend())
}

func quantile(sorted []float64, q float64) any {
	if len(sorted) == 0 {
		return nil
	}
	return sorted[int(q*float64(len(sorted)-1))]
}

// commands answers one JSON line of stdin after the other until stdin ends.
func commands(answer func(command)) {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var c command
		must(json.Unmarshal(lines.Bytes(), &c))
		answer(c)
	}
	os.Exit(0)
}

func usage(settle bool) {
	if settle {
		debug.FreeOSMemory()
	}
	report(map[string]any{"cpu": cpu(), "rss": rss()})
}

// cpu is what this process used so far, user and system, in microseconds.
func cpu() int64 {
	var r syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &r))
	return (r.Utime.Sec+r.Stime.Sec)*1e6 + int64(r.Utime.Usec+r.Stime.Usec)
}

func rss() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var total, resident int64
	_, err = fmt.Sscan(string(text), &total, &resident)
	must(err)
	return resident * int64(os.Getpagesize())
}

func report(line map[string]any) {
	text, err := json.Marshal(line)
	must(err)
	_, err = os.Stdout.Write(append(text, '\n'))
	must(err)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
