package scenario

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/bytedance/gopkg/cloud/metainfo"
	"github.com/cloudwego/kitex/client/streamclient"
	"github.com/cloudwego/kitex/pkg/endpoint"
	"github.com/cloudwego/kitex/pkg/kerrors"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
	"github.com/cloudwego/kitex/pkg/stats"
	"github.com/cloudwego/kitex/pkg/streaming"
	"millrace.dev/interop/kitex_gen/millrace/interop/interopservice"
)

// counter is a tracer of Kitex that counts what one call reports.
type counter struct {
	mu                 sync.Mutex
	started, finished  int
	sends, recvs       int
	lastSent, lastGot  uint64
	totalSent, totalGo uint64
	statuses           []stats.Status
}

func (c *counter) Start(ctx context.Context) context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.started++
	return ctx
}

func (c *counter) Finish(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finished++
	st := rpcinfo.GetRPCInfo(ctx).Stats()
	c.totalSent, c.totalGo = st.SendSize(), st.RecvSize()
}

func (c *counter) ReportStreamEvent(ctx context.Context, ri rpcinfo.RPCInfo, event rpcinfo.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch event.Event() {
	case stats.StreamSend:
		c.sends++
		c.lastSent += ri.Stats().LastSendSize()
	case stats.StreamRecv:
		c.recvs++
		c.lastGot += ri.Stats().LastRecvSize()
		c.statuses = append(c.statuses, event.Status())
	}
}

// check compares with a row of the table: how many events of each kind, one start, one finish, and sizes that add up.
func (c *counter) check(e *env, sends, recvs int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	e.saw("traced", map[string]any{"sends": c.sends, "recvs": c.recvs, "sendBytes": c.totalSent, "recvBytes": c.totalGo}, nil)
	return all(
		same("number of starts", c.started, 1), same("number of finishes", c.finished, 1),
		same("StreamSend", c.sends, sends), same("StreamRecv", c.recvs, recvs),
		expect(sends == 0 || c.lastSent == c.totalSent, "LastSendSize adds up to %d of %d", c.lastSent, c.totalSent),
		expect(recvs == 0 || c.lastGot == c.totalGo, "LastRecvSize adds up to %d of %d", c.lastGot, c.totalGo),
	)
}

// withTracer is a client with a tracer of its own.
func withTracer(e *env, more ...streamclient.Option) (*counter, interopservice.StreamClient) {
	c := &counter{}
	return c, e.client(append(more, streamclient.WithTracer(c))...)
}

type tracedCase func(ctx context.Context, e *env, c interopservice.StreamClient) error

func traces(m map[string]function) {
	add := func(name string, sends, recvs int, run tracedCase) {
		m["traced-"+name] = func(ctx context.Context, e *env) error {
			counts, c := withTracer(e)
			return all(run(ctx, e, c), counts.check(e, sends, recvs))
		}
	}
	add("unary", 0, 0, func(ctx context.Context, e *env, c interopservice.StreamClient) error {
		_, err := c.Unary(ctx, request("hi"))
		return err
	})
	add("bidi", 3, 3, func(ctx context.Context, e *env, c interopservice.StreamClient) error {
		st, err := c.Bidi(ctx)
		if err != nil {
			return err
		}
		for i := range 3 {
			word := fmt.Sprint("traced ", i)
			if err := all(st.Send(request(word)), recvEcho(st, word)); err != nil {
				return err
			}
		}
		if err := st.Close(); err != nil {
			return err
		}
		_, err = st.Recv()
		return endOfStream(err)
	})
	add("server", 1, 3, func(ctx context.Context, e *env, c interopservice.StreamClient) error {
		st, err := c.Server(ctx, counted("traced", 3))
		if err != nil {
			return err
		}
		for range 3 {
			if _, err := st.Recv(); err != nil {
				return err
			}
		}
		_, err = st.Recv()
		return endOfStream(err)
	})
	add("client", 3, 1, func(ctx context.Context, e *env, c interopservice.StreamClient) error {
		st, err := c.Client(ctx)
		if err != nil {
			return err
		}
		for range 3 {
			if err := st.Send(request("traced")); err != nil {
				return err
			}
		}
		_, err = st.CloseAndRecv()
		return err
	})
	for word, check := range map[string]func(error) error{
		"plain-error": func(err error) error { return statusOf(err, 13, "boom [biz error]") },
		"biz-grpc":    func(err error) error { return bizOf(err, 100, "grpc biz", map[string]string{"k": "v"}) },
		"sleep": func(err error) error {
			if errors.Is(err, kerrors.ErrRPCTimeout) { // of a unary call
				return nil
			}
			return deadlineOf(err)
		},
		"exit": func(err error) error { return expect(err != nil && err != io.EOF, "no error: %v", err) },
	} {
		failing := func(run tracedCase) tracedCase {
			return func(ctx context.Context, e *env, c interopservice.StreamClient) error {
				ctx = metainfo.WithValue(ctx, "OUTCOME", word)
				if word == "sleep" {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, 150*time.Millisecond)
					defer cancel()
				}
				err := run(ctx, e, c)
				e.saw(word, nil, err)
				return check(err)
			}
		}
		add("unary-"+word, 0, 0, failing(func(ctx context.Context, e *env, c interopservice.StreamClient) error {
			_, err := c.Unary(ctx, request("hi"))
			return err
		}))
		add("server-"+word, 1, 1, failing(func(ctx context.Context, e *env, c interopservice.StreamClient) error {
			st, err := c.Server(ctx, request("hi"))
			if err != nil {
				return fmt.Errorf("creation: %v", err)
			}
			_, err = st.Recv()
			return err
		}))
		add("client-"+word, 0, 1, failing(func(ctx context.Context, e *env, c interopservice.StreamClient) error {
			st, err := c.Client(ctx)
			if err != nil {
				return fmt.Errorf("creation: %v", err)
			}
			_, err = st.CloseAndRecv()
			return err
		}))
		add("bidi-"+word, 0, 1, failing(func(ctx context.Context, e *env, c interopservice.StreamClient) error {
			st, err := c.Bidi(ctx)
			if err != nil {
				return fmt.Errorf("creation: %v", err)
			}
			if err := st.Close(); err != nil {
				return err
			}
			_, err = st.Recv()
			return err
		}))
	}
	m["traced-status"] = tracedStatus
	m["traced-finish"] = tracedFinish
	m["traced-injected"] = tracedInjected
}

// tracedStatus is R26: one message, then the end, which is no event.
func tracedStatus(ctx context.Context, e *env) error {
	counts, c := withTracer(e)
	st, err := c.Server(ctx, counted("one", 1))
	if err != nil {
		return err
	}
	if _, err := st.Recv(); err != nil {
		return err
	}
	_, err = st.Recv()
	return all(endOfStream(err), counts.check(e, 1, 1), expect(slices.Equal(counts.statuses, []stats.Status{stats.StatusInfo}), "statuses %v", counts.statuses))
}

// tracedFinish is R27: the consumer has had enough, and the call is over at once.
func tracedFinish(ctx context.Context, e *env) error {
	counts, c := withTracer(e)
	st, err := c.Server(ctx, counted("many", 3))
	if err != nil {
		return err
	}
	if _, err := st.Recv(); err != nil {
		return err
	}
	streaming.FinishStream(st, nil)
	return counts.check(e, 1, 1)
}

// tracedInjected is R28: a middleware fails the creation.
func tracedInjected(ctx context.Context, e *env) error {
	counts, c := withTracer(e, streamclient.WithMiddleware(func(next endpoint.Endpoint) endpoint.Endpoint {
		return func(ctx context.Context, req, resp any) error { return errors.New("injected error") }
	}))
	_, err := c.Bidi(ctx)
	return all(expect(err != nil && err.Error() == "injected error", "creation: %v", err), counts.check(e, 0, 0))
}
