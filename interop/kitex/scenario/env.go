// Package scenario holds what the Kitex client of the interoperability suite does, one function for each case.
// A scenario checks everything it must see; what it saw is reported as well.
package scenario

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cloudwego/kitex/client/streamclient"
	"github.com/cloudwego/kitex/pkg/kerrors"
	"github.com/cloudwego/kitex/pkg/remote"
	// Registers the gzip compressor with the HTTP/2 transport.
	_ "github.com/cloudwego/kitex/pkg/remote/codec/protobuf/encoding/gzip"
	"github.com/cloudwego/kitex/pkg/remote/trans/nphttp2/status"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
	"google.golang.org/protobuf/types/known/wrapperspb"
	"millrace.dev/interop/kitex_gen/millrace/interop"
	"millrace.dev/interop/kitex_gen/millrace/interop/interopservice"
)

// Case is one run of a scenario.
type Case struct {
	Scenario string `json:"scenario"`
	Address  string `json:"address"`
	// N counts messages, calls or streams, whatever the scenario is about.
	N *int `json:"n,omitempty"`
	// Size is the length of the blob in every message.
	Size int `json:"size,omitempty"`
	// Calls says how PingPong calls go.
	Calls CallOptions `json:"calls"`
	// Ask is what the scenarios named `ask-` say.
	Ask Ask `json:"ask"`
	// Governed says how the clients of the scenarios named `governed-` find and protect themselves.
	Governed Governed `json:"governed"`
	// Scripts are what the scenario `scripts` runs.
	Scripts []Script `json:"scripts"`
}

// Result is what a run came to.
type Result struct {
	Scenario string `json:"scenario"`
	OK       bool   `json:"ok"`
	Detail   string `json:"detail"`
	Seen     []any  `json:"seen"`
	Millis   int64  `json:"millis"`
}

type env struct {
	address string
	n       int
	size    int
	seen    []any
	calling CallOptions
	asked   Ask
	policy  Governed
	scripts []Script
	dials   atomic.Int64
}

// limit is far above what any scenario takes; a Kitex client may wait for ever on a server that has gone.
const limit = 20 * time.Second

type function func(ctx context.Context, e *env) error

// Run runs a case; it never takes longer than limit.
func Run(c Case) Result {
	f, ok := scenarios()[c.Scenario]
	if !ok {
		return Result{Scenario: c.Scenario, Detail: "no such scenario", Seen: []any{}}
	}
	e := &env{address: c.Address, n: 3, size: c.Size, calling: c.Calls, asked: c.Ask, policy: c.Governed, scripts: c.Scripts, seen: []any{}}
	if c.N != nil {
		e.n = *c.N
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	began := time.Now()
	err := guarded(ctx, f, e)
	r := Result{Scenario: c.Scenario, OK: err == nil, Seen: e.seen, Millis: time.Since(began).Milliseconds()}
	if err != nil {
		r.Detail = err.Error()
	}
	return r
}

// guarded has no deadline in the context of the scenario, because a deadline goes out as grpc-timeout.
func guarded(ending context.Context, f function, e *env) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- fmt.Errorf("panic: %v", p)
			}
		}()
		done <- f(ctx, e)
	}()
	select {
	case err := <-done:
		return err
	case <-ending.Done():
		return errors.New("the scenario took too long")
	}
}

func (e *env) options(more ...streamclient.Option) []streamclient.Option {
	return append([]streamclient.Option{
		streamclient.WithHostPorts(e.address),
		streamclient.WithGRPCConnPoolSize(1),
		streamclient.WithClientBasicInfo(&rpcinfo.EndpointBasicInfo{ServiceName: "interop-go-client"}),
	}, more...)
}

func (e *env) client(more ...streamclient.Option) interopservice.StreamClient {
	return interopservice.MustNewStreamClient("interop", e.options(more...)...)
}

// saw records the outcome of one operation and gives its error back.
func (e *env) saw(op string, v any, err error) error {
	s := map[string]any{"op": op}
	if err != nil {
		text, _, _ := strings.Cut(err.Error(), "\nstack=")
		s["error"] = text
		if biz, ok := kerrors.FromBizStatusError(err); ok {
			s["bizStatus"], s["message"], s["extra"] = biz.BizStatusCode(), biz.BizMessage(), biz.BizExtra()
			if g, ok := biz.(kerrors.GRPCStatusIface); ok {
				s["code"], s["status"], s["details"] = int32(g.GRPCStatus().Code()), g.GRPCStatus().Message(), details(g.GRPCStatus())
			}
		} else if trans := (*remote.TransError)(nil); errors.As(err, &trans) {
			s["type"] = trans.TypeID()
		} else if st, ok := status.FromError(err); ok {
			s["code"], s["message"], s["details"] = int32(st.Code()), st.Message(), details(st)
		}
	} else if v != nil {
		s["value"] = v
	}
	e.seen = append(e.seen, s)
	return err
}

// details are the strings among the details of a status.
func details(st *status.Status) []string {
	texts := []string{}
	for _, detail := range st.Details() {
		if text, ok := detail.(*wrapperspb.StringValue); ok {
			texts = append(texts, text.Value)
		}
	}
	return texts
}

func (e *env) blob() []byte {
	if e.size == 0 {
		return nil
	}
	b := make([]byte, e.size)
	for i := range b {
		b[i] = byte(i * 31)
	}
	return b
}

// request says a word.
func request(word string) *interop.Request { return &interop.Request{Message: &word} }

func counted(word string, n int) *interop.Request {
	c := int32(n)
	return &interop.Request{Message: &word, Count: &c}
}

func keyed(word, key string) *interop.Request { return &interop.Request{Message: &word, Key: &key} }

var keys atomic.Int64

// key names one stream to the server, see the word `seen`.
func key() string { return fmt.Sprintf("go-%d-%d", time.Now().UnixNano(), keys.Add(1)) }

// serverSaw asks the server how the stream of a key ended.
func (e *env) serverSaw(c interopservice.StreamClient, k string) error {
	r, err := c.Unary(context.Background(), keyed("seen", k))
	if err := e.saw("server saw", r.GetMessage(), err); err != nil {
		return err
	}
	return expect(r.GetMessage() != "", "the server did not see the stream end")
}

func expect(ok bool, format string, a ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, a...)
}

func same[T comparable](what string, got, want T) error {
	return expect(got == want, "%s is %v, expected %v", what, got, want)
}

func endOfStream(err error) error {
	return expect(err == io.EOF, "expected the end of the stream, got %v", err)
}

func statusOf(err error, code int, message string) error {
	if err == nil {
		return fmt.Errorf("no error, expected code %d %q", code, message)
	}
	st, ok := status.FromError(err)
	if !ok {
		return fmt.Errorf("not a status: %v", err)
	}
	if int(st.Code()) != code || st.Message() != message {
		return fmt.Errorf("status %d %q, expected %d %q", st.Code(), st.Message(), code, message)
	}
	return nil
}

// deadlineOf accepts the word of either side, because both have the same clock and either may be first.
func deadlineOf(err error) error {
	st, ok := status.FromError(err)
	return expect(ok && err != nil && st.Code() == 4 && strings.HasPrefix(st.Message(), "context deadline exceeded"), "not a deadline: %v", err)
}

func bizOf(err error, code int32, message string, extra map[string]string) error {
	biz, ok := kerrors.FromBizStatusError(err)
	if !ok {
		return fmt.Errorf("not a business status: %v", err)
	}
	if biz.BizStatusCode() != code || biz.BizMessage() != message || !maps.Equal(biz.BizExtra(), extra) {
		return fmt.Errorf("business status %d %q %v, expected %d %q %v", biz.BizStatusCode(), biz.BizMessage(), biz.BizExtra(), code, message, extra)
	}
	return nil
}

// echoed checks a response against its request.
func echoed(r *interop.Response, message string, blob []byte) error {
	if r == nil {
		return errors.New("no response")
	}
	if r.GetMessage() != message {
		return fmt.Errorf("message %q, expected %q", r.GetMessage(), message)
	}
	return expect(string(r.GetBlob()) == string(blob), "the blob of %d bytes came back different, with %d bytes", len(blob), len(r.GetBlob()))
}

// all gives the first error of some checks.
func all(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
