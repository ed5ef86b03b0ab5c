package scenario

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/cloudwego/kitex/client/callopt/streamcall"
	"github.com/cloudwego/kitex/pkg/kerrors"
	"github.com/cloudwego/kitex/pkg/streaming"
	"millrace.dev/interop/kitex_gen/millrace/interop"
	"millrace.dev/interop/kitex_gen/millrace/interop/interopservice"
	"millrace.dev/interop/kitex_gen/millrace/second/secondservice"
	unserved "millrace.dev/interop/kitex_gen/millrace/unserved/interop/interopservice"
	"millrace.dev/interop/kitex_gen/millrace/unserved/interop/nowhereservice"
)

func endings(m map[string]function) {
	m["return-early-bidi"] = returnEarlyBidi
	m["return-early-client"] = returnEarlyClient
	m["return-nothing-client"] = func(ctx context.Context, e *env) error {
		_, err := say(ctx, e, "client", "return-nothing")
		// A client-streaming call whose handler gave no response: Kitex has the bare end of the stream here.
		return expect(err != nil, "no error")
	}
	m["message-then-error-client"] = func(ctx context.Context, e *env) error {
		_, err := say(ctx, e, "client", "message-then-error")
		return statusOf(err, 13, "boom [biz error]")
	}
	m["two-then-error"] = func(ctx context.Context, e *env) error { return twoThen(ctx, e, "two-then-error") }
	m["two-then-biz"] = func(ctx context.Context, e *env) error { return twoThen(ctx, e, "two-then-biz") }
	m["cancel-bidi"] = cancelBidi
	m["cancel-client"] = cancelClient
	m["cancel-server"] = cancelServer
	m["deadline-bidi"] = deadlineBidi
	m["deadline-client"] = deadlineClient
	m["deadline-server"] = deadlineServer
	m["deadline-unary"] = deadlineUnary
	m["deadline-seen"] = deadlineSeen
	m["recv-timeout"] = recvTimeout
	m["server-recv-timeout"] = serverRecvTimeout
	m["two-services"] = twoServices
	m["unknown-method"] = unknownMethod
	m["unknown-service"] = unknownService
	m["drain-finish"] = drainFinish
	m["drain-grace"] = drainGrace
	m["connection-loss"] = connectionLoss
	for _, mode := range []string{"bidi", "client", "server", "unary"} {
		for word, check := range errorChecks(mode) {
			m["error-"+mode+"-"+word] = func(ctx context.Context, e *env) error {
				_, err := say(ctx, e, mode, word)
				return check(err)
			}
		}
		m["middleware-"+mode] = func(ctx context.Context, e *env) error { return rewritten(ctx, e, mode) }
		m["refused-by-middleware-"+mode] = func(ctx context.Context, e *env) error {
			_, err := say(ctx, e, mode, "hi")
			return expect(err != nil, "no error")
		}
	}
}

// say sends one word in a mode and gives the first answer.
func say(ctx context.Context, e *env, mode, word string) (*interop.Response, error) {
	r, err := answer(ctx, e.client(), mode, counted(word, 1))
	return r, e.saw(mode+" "+word, r, err)
}

// answer sends one request in a mode and gives the first answer.
func answer(ctx context.Context, c interopservice.StreamClient, mode string, req *interop.Request) (r *interop.Response, err error) {
	switch mode {
	case "bidi":
		var st interopservice.InteropService_BidiClient
		if st, err = c.Bidi(ctx); err == nil {
			st.Send(req)
			r, err = st.Recv()
		}
	case "client":
		var st interopservice.InteropService_ClientClient
		if st, err = c.Client(ctx); err == nil {
			st.Send(req)
			r, err = st.CloseAndRecv()
		}
	case "server":
		var st interopservice.InteropService_ServerClient
		if st, err = c.Server(ctx, req); err == nil {
			r, err = st.Recv()
		}
	case "unary":
		r, err = c.Unary(ctx, req)
	}
	return r, err
}

func errorChecks(mode string) map[string]func(error) error {
	code := func(code int, message string) func(error) error {
		return func(err error) error { return statusOf(err, code, message) }
	}
	biz := func(code int32, message string, extra map[string]string) func(error) error {
		return func(err error) error { return bizOf(err, code, message, extra) }
	}
	method := map[string]string{"bidi": "Bidi", "client": "Client", "server": "Server", "unary": "Unary"}[mode]
	checks := map[string]func(error) error{
		"plain-error":   code(13, "boom [biz error]"),
		"unicode-error": code(13, "错误 100%\n [biz error]"),
		"trans-error":   code(1000, "retry [biz error]"),
		"status":        code(7, "no entry [biz error]"),
		"status-big":    code(12345, "custom [biz error]"),
		"biz":           biz(404, "not found", nil),
		"biz-extra":     biz(404, "not found", map[string]string{"k": "v"}),
		"biz-html":      biz(-7, "错误 <a&b> 100%", map[string]string{"k": "<a&b> 中\u2028"}),
		"biz-zero":      biz(0, "zero", nil),
		"panic":         code(13, "panic: [happened in biz handler, method=InteropService."+method+", please check the panic at the server side] kaboom"),
	}
	if mode == "unary" {
		checks["refused"] = func(err error) error {
			var refused *interop.Refused
			if !errors.As(err, &refused) {
				return fmt.Errorf("not the declared exception: %v", err)
			}
			return all(same("code", refused.Code, 42), same("why", refused.Why, "bad"))
		}
	}
	return checks
}

func returnEarlyBidi(ctx context.Context, e *env) error {
	st, err := e.client().Bidi(ctx)
	if err != nil {
		return err
	}
	if err := all(st.Send(request("one")), recvEcho(st, "one"), st.Send(request("return-early"))); err != nil {
		return err
	}
	_, err = st.Recv()
	late := e.saw("send", nil, st.Send(request("late")))
	return all(endOfStream(err), statusOf(late, 13, "the stream is done"), st.Close())
}

func recvEcho(st interopservice.InteropService_BidiClient, word string) error {
	r, err := st.Recv()
	if err != nil {
		return err
	}
	return echoed(r, word, nil)
}

func returnEarlyClient(ctx context.Context, e *env) error {
	st, err := e.client().Client(ctx)
	if err != nil {
		return err
	}
	if err := st.Send(request("return-early")); err != nil {
		return err
	}
	// The server ends the stream meanwhile: from then on Send fails.
	for range 100 {
		if err = st.Send(request("late")); err != nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	e.saw("send", nil, err)
	r, got := st.CloseAndRecv()
	return all(statusOf(err, 13, "the stream is done"), got, echoed(r, "early", nil), same("count", r.GetCount(), 1))
}

func twoThen(ctx context.Context, e *env, word string) error {
	st, err := e.client().Server(ctx, request(word))
	if err != nil {
		return err
	}
	for _, m := range []string{"a", "b"} {
		r, err := st.Recv()
		if err := all(err, echoed(r, m, nil)); err != nil {
			return err
		}
	}
	_, err = st.Recv()
	_, again := st.Recv()
	e.saw("recv", nil, err)
	if word == "two-then-biz" {
		extra := map[string]string{"k": "v"}
		return all(bizOf(err, 404, "not found", extra), bizOf(again, 404, "not found", extra))
	}
	return all(statusOf(err, 13, "boom [biz error]"), statusOf(again, 13, "boom [biz error]"))
}

func cancelBidi(ctx context.Context, e *env) error {
	c, k := e.client(), key()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	st, err := c.Bidi(ctx)
	if err != nil {
		return err
	}
	if err := all(st.Send(keyed("one", k)), recvEcho(st, "one")); err != nil {
		return err
	}
	cancel()
	_, err = st.Recv()
	e.saw("recv", nil, err)
	late := e.saw("send", nil, st.Send(request("late")))
	return all(statusOf(err, 1, "context canceled"), statusOf(late, 1, "context canceled"), e.serverSaw(c, k))
}

func cancelClient(ctx context.Context, e *env) error {
	c, k := e.client(), key()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	st, err := c.Client(ctx)
	if err != nil {
		return err
	}
	if err := st.Send(keyed("wait", k)); err != nil {
		return err
	}
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err = st.CloseAndRecv()
	e.saw("closeAndRecv", nil, err)
	return all(statusOf(err, 1, "context canceled"), e.serverSaw(c, k))
}

func cancelServer(ctx context.Context, e *env) error {
	c, k := e.client(), key()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	st, err := c.Server(ctx, keyed("forever", k))
	if err != nil {
		return err
	}
	for i := range e.n {
		r, err := st.Recv()
		if err := all(err, echoed(r, "tick", nil), same("count", int(r.GetCount()), i)); err != nil {
			return err
		}
	}
	cancel()
	for err == nil {
		_, err = st.Recv()
	}
	e.saw("recv", nil, err)
	return all(statusOf(err, 1, "context canceled"), e.serverSaw(c, k))
}

func deadlineBidi(ctx context.Context, e *env) error {
	c, k := e.client(), key()
	ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	st, err := c.Bidi(ctx)
	if err != nil {
		return err
	}
	if err := st.Send(keyed("wait", k)); err != nil {
		return err
	}
	_, err = st.Recv()
	e.saw("recv", nil, err)
	late := e.saw("send", nil, st.Send(request("late")))
	return all(deadlineOf(err), deadlineOf(late), e.serverSaw(c, k))
}

func deadlineClient(ctx context.Context, e *env) error {
	c, k := e.client(), key()
	ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	st, err := c.Client(ctx)
	if err != nil {
		return err
	}
	if err := st.Send(keyed("wait", k)); err != nil {
		return err
	}
	_, err = st.CloseAndRecv()
	e.saw("closeAndRecv", nil, err)
	return all(deadlineOf(err), e.serverSaw(c, k))
}

func deadlineServer(ctx context.Context, e *env) error {
	c, k := e.client(), key()
	ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	st, err := c.Server(ctx, keyed("forever", k))
	if err != nil {
		return err
	}
	received := -1
	for ; err == nil; received++ {
		_, err = st.Recv()
	}
	e.saw("recv", nil, err)
	return all(deadlineOf(err), expect(received > 0, "nothing arrived before the deadline"), e.serverSaw(c, k))
}

func deadlineUnary(ctx context.Context, e *env) error {
	c, k := e.client(), key()
	ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	_, err := c.Unary(ctx, keyed("wait", k))
	e.saw("unary", nil, err)
	return all(expect(errors.Is(err, kerrors.ErrRPCTimeout), "not a timeout: %v", err), e.serverSaw(c, k))
}

// deadlineSeen asks the server how much time it thinks is left.
func deadlineSeen(ctx context.Context, e *env) error {
	c := e.client()
	none, err := c.Unary(ctx, request("deadline"))
	if err := all(err, echoed(none, "none", nil)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	left, err := c.Unary(ctx, request("deadline"))
	e.saw("deadline", left.GetCount(), err)
	return all(err, echoed(left, "left", nil), expect(left.GetCount() > 3000 && left.GetCount() <= 5000, "%d ms are left of 5 s", left.GetCount()))
}

func recvTimeout(ctx context.Context, e *env) error {
	c, k := e.client(), key()
	st, err := c.Bidi(ctx, streamcall.WithRecvTimeoutConfig(streaming.TimeoutConfig{Timeout: 50 * time.Millisecond}))
	if err != nil {
		return err
	}
	if err := st.Send(keyed("wait", k)); err != nil {
		return err
	}
	text := "stream Recv timeout, timeout config={Timeout:50ms DisableCancelRemote:false}"
	_, err = st.Recv()
	e.saw("recv", nil, err)
	_, again := st.Recv()
	late := st.Send(request("late"))
	return all(statusOf(err, 17, text), statusOf(again, 17, text), statusOf(late, 17, text), e.serverSaw(c, k))
}

// serverRecvTimeout has a handler that waits 50 ms for a second message, and ends when it does not come.
func serverRecvTimeout(ctx context.Context, e *env) error {
	c, k := e.client(), key()
	st, err := c.Bidi(ctx)
	if err != nil {
		return err
	}
	if err := st.Send(keyed("recv-timeout", k)); err != nil {
		return err
	}
	_, err = st.Recv()
	e.saw("recv", nil, err)
	return all(expect(err != nil, "no error"), e.serverSaw(c, k))
}

func twoServices(ctx context.Context, e *env) error {
	c := secondservice.MustNewStreamClient("interop", e.options()...)
	u, err := c.Unary(ctx, request("hi"))
	if err := all(err, echoed(u, "second: hi", nil)); err != nil {
		return err
	}
	b, err := c.Bidi(ctx)
	if err != nil {
		return err
	}
	if err := b.Send(request("hi")); err != nil {
		return err
	}
	r, err := b.Recv()
	if err := all(err, echoed(r, "second: hi", nil), b.Close()); err != nil {
		return err
	}
	_, err = b.Recv()
	if err := endOfStream(err); err != nil {
		return err
	}
	s, err := c.Server(ctx, counted("hi", 1))
	if err != nil {
		return err
	}
	r, err = s.Recv()
	if err := all(err, echoed(r, "second: hi", nil)); err != nil {
		return err
	}
	_, err = s.Recv()
	if err := endOfStream(err); err != nil {
		return err
	}
	up, err := c.Client(ctx)
	if err != nil {
		return err
	}
	if err := up.Send(request("hi")); err != nil {
		return err
	}
	r, err = up.CloseAndRecv()
	if err := all(err, echoed(r, "second: 1", nil)); err != nil {
		return err
	}
	r, err = e.client().Unary(ctx, request("hi"))
	return all(err, echoed(r, "hi", nil))
}

func unknownMethod(ctx context.Context, e *env) error {
	c := unserved.MustNewStreamClient("interop", e.options()...)
	_, err := c.MissingUnary(ctx, request("hi"))
	if err := statusOf(e.saw("unary", nil, err), 1, "unknown method MissingUnary"); err != nil {
		return err
	}
	b, err := c.MissingBidi(ctx)
	if err != nil {
		return err
	}
	_, err = b.Recv()
	if err := statusOf(err, 1, "unknown method MissingBidi"); err != nil {
		return err
	}
	s, err := c.MissingServer(ctx, request("hi"))
	if err != nil {
		return err
	}
	_, err = s.Recv()
	if err := statusOf(err, 1, "unknown method MissingServer"); err != nil {
		return err
	}
	u, err := c.MissingClient(ctx)
	if err != nil {
		return err
	}
	_, err = u.CloseAndRecv()
	return statusOf(err, 1, "unknown method MissingClient")
}

func unknownService(ctx context.Context, e *env) error {
	c := nowhereservice.MustNewStreamClient("interop", e.options()...)
	_, err := c.Unary(ctx, request("hi"))
	if err := statusOf(e.saw("unary", nil, err), 20, "unknown service NowhereService"); err != nil {
		return err
	}
	b, err := c.Bidi(ctx)
	if err != nil {
		return err
	}
	_, err = b.Recv()
	return statusOf(e.saw("bidi", nil, err), 20, "unknown service NowhereService")
}

// draining opens a stream and asks the server to stop.
func draining(ctx context.Context, e *env) (interopservice.InteropService_BidiClient, error) {
	c := e.client()
	st, err := c.Bidi(ctx)
	if err != nil {
		return nil, err
	}
	if err := all(st.Send(request("one")), recvEcho(st, "one")); err != nil {
		return nil, err
	}
	_, err = c.Unary(ctx, request("drain"))
	e.saw("drain", nil, err)
	time.Sleep(100 * time.Millisecond)
	return st, err
}

// drainFinish ends its stream within the grace time.
func drainFinish(ctx context.Context, e *env) error {
	st, err := draining(ctx, e)
	if err != nil {
		return err
	}
	if err := all(st.Send(request("two")), recvEcho(st, "two"), st.Close()); err != nil {
		return err
	}
	_, err = st.Recv()
	if err := endOfStream(err); err != nil {
		return err
	}
	_, err = e.client().Unary(ctx, request("late"))
	return expect(e.saw("a new call", nil, err) != nil, "the server took a new call after its stop")
}

// drainGrace keeps its stream beyond the grace time.
func drainGrace(ctx context.Context, e *env) error {
	st, err := draining(ctx, e)
	if err != nil {
		return err
	}
	if err := all(st.Send(request("two")), recvEcho(st, "two")); err != nil {
		return err
	}
	_, err = st.Recv()
	e.saw("recv", nil, err)
	return expect(err != nil && err != io.EOF, "expected an error, got %v", err)
}

// connectionLoss has the server process exit while a stream is open.
func connectionLoss(ctx context.Context, e *env) error {
	st, err := e.client().Bidi(ctx)
	if err != nil {
		return err
	}
	if err := st.Send(request("exit")); err != nil {
		return err
	}
	_, err = st.Recv()
	e.saw("recv", nil, err)
	return expect(err != nil && strings.Contains(err.Error(), "connection error"), "not a connection error: %v", err)
}

// rewritten runs against a server with the middleware `rewrite`.
func rewritten(ctx context.Context, e *env, mode string) error {
	r, err := say(ctx, e, mode, "request")
	want := map[string]string{"bidi": "mw:Bidi", "client": "mw:total", "server": "mw:Server", "unary": "mw:request"}[mode]
	return all(err, echoed(r, want, nil))
}
