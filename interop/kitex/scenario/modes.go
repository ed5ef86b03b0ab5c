package scenario

import (
	"context"
	"fmt"

	"github.com/cloudwego/kitex/client/callopt/streamcall"
	"github.com/cloudwego/kitex/client/streamclient"
	"millrace.dev/interop/kitex_gen/millrace/interop"
	"millrace.dev/interop/kitex_gen/millrace/interop/interopservice"
)

func modes(m map[string]function) {
	for prefix, call := range map[string][]streamcall.Option{"": nil, "gzip-": {streamcall.WithGRPCCompressor("gzip")}} {
		m[prefix+"bidi"] = func(ctx context.Context, e *env) error { return bidi(ctx, e, e.client(), "bidi", call...) }
		m[prefix+"client"] = func(ctx context.Context, e *env) error { return clientStream(ctx, e, call...) }
		m[prefix+"server"] = func(ctx context.Context, e *env) error { return serverStream(ctx, e, call...) }
		m[prefix+"unary"] = func(ctx context.Context, e *env) error { return unary(ctx, e, call...) }
	}
	m["bidi-lockstep"] = lockstep
	m["bidi-half-close"] = halfClose
	m["empty-messages"] = emptyMessages
	m["streams"] = streams
	m["slow-reader"] = slowReader
}

// bidi sends from one goroutine and receives in another.
func bidi(ctx context.Context, e *env, c interopservice.StreamClient, name string, call ...streamcall.Option) error {
	st, err := c.Bidi(ctx, call...)
	if err != nil {
		return err
	}
	blob := e.blob()
	sent := make(chan error, 1)
	go func() {
		for i := range e.n {
			m := fmt.Sprintf("%s-%d", name, i)
			if err := st.Send(&interop.Request{Message: &m, Blob: blob}); err != nil {
				sent <- err
				return
			}
		}
		sent <- st.Close()
	}()
	for i := range e.n {
		r, err := st.Recv()
		if err != nil {
			return fmt.Errorf("recv %d: %w", i, err)
		}
		if err := echoed(r, fmt.Sprintf("%s-%d", name, i), blob); err != nil {
			return err
		}
	}
	if err := <-sent; err != nil {
		return fmt.Errorf("send: %w", err)
	}
	_, err = st.Recv()
	_, again := st.Recv()
	return all(endOfStream(err), endOfStream(again))
}

func lockstep(ctx context.Context, e *env) error {
	st, err := e.client().Bidi(ctx)
	if err != nil {
		return err
	}
	blob := e.blob()
	for i := range e.n {
		m := fmt.Sprintf("step-%d", i)
		if err := st.Send(&interop.Request{Message: &m, Blob: blob}); err != nil {
			return err
		}
		r, err := st.Recv()
		if err != nil {
			return err
		}
		if err := echoed(r, m, blob); err != nil {
			return err
		}
	}
	if err := st.Close(); err != nil {
		return err
	}
	_, err = st.Recv()
	return endOfStream(err)
}

// halfClose receives every answer after it has closed its own direction.
func halfClose(ctx context.Context, e *env) error {
	st, err := e.client().Bidi(ctx)
	if err != nil {
		return err
	}
	for range e.n {
		if err := st.Send(request("hold")); err != nil {
			return err
		}
	}
	if err := st.Close(); err != nil {
		return err
	}
	late := e.saw("send after close", nil, st.Send(request("late")))
	for range e.n {
		r, err := st.Recv()
		if err := all(err, echoed(r, "hold", nil)); err != nil {
			return err
		}
	}
	_, err = st.Recv()
	return all(endOfStream(err), statusOf(late, 13, "the stream is done"))
}

func clientStream(ctx context.Context, e *env, call ...streamcall.Option) error {
	st, err := e.client().Client(ctx, call...)
	if err != nil {
		return err
	}
	blob := e.blob()
	for i := range e.n {
		m := fmt.Sprintf("client-%d", i)
		if err := st.Send(&interop.Request{Message: &m, Blob: blob}); err != nil {
			return err
		}
	}
	r, err := st.CloseAndRecv()
	if err != nil {
		return err
	}
	if e.n == 0 {
		blob = nil
	}
	return all(echoed(r, "total", blob), same("count", int(r.GetCount()), e.n))
}

func serverStream(ctx context.Context, e *env, call ...streamcall.Option) error {
	blob := e.blob()
	req := counted("server", e.n)
	req.Blob = blob
	st, err := e.client().Server(ctx, req, call...)
	if err != nil {
		return err
	}
	for i := range e.n {
		r, err := st.Recv()
		if err != nil {
			return fmt.Errorf("recv %d: %w", i, err)
		}
		if err := all(echoed(r, "server", blob), same("count", int(r.GetCount()), i)); err != nil {
			return err
		}
	}
	_, err = st.Recv()
	_, again := st.Recv()
	return all(endOfStream(err), endOfStream(again))
}

func unary(ctx context.Context, e *env, call ...streamcall.Option) error {
	c := e.client()
	blob := e.blob()
	for i := range e.n {
		m := fmt.Sprintf("unary-%d", i)
		r, err := c.Unary(ctx, &interop.Request{Message: &m, Blob: blob}, call...)
		if err != nil {
			return err
		}
		if err := echoed(r, m, blob); err != nil {
			return err
		}
	}
	return nil
}

// emptyMessages sends structs without any field.
func emptyMessages(ctx context.Context, e *env) error {
	c := e.client()
	isEmpty := func(r *interop.Response) error {
		return expect(r.Message == nil && r.Count == nil && r.Blob == nil, "not empty: %v", r)
	}
	r, err := c.Unary(ctx, &interop.Request{})
	if err := all(err, isEmpty(r)); err != nil {
		return err
	}
	b, err := c.Bidi(ctx)
	if err != nil {
		return err
	}
	for range e.n {
		if err := b.Send(&interop.Request{}); err != nil {
			return err
		}
		r, err := b.Recv()
		if err := all(err, isEmpty(r)); err != nil {
			return err
		}
	}
	if err := b.Close(); err != nil {
		return err
	}
	_, err = b.Recv()
	if err := endOfStream(err); err != nil {
		return err
	}
	s, err := c.Server(ctx, &interop.Request{})
	if err != nil {
		return err
	}
	_, err = s.Recv()
	if err := endOfStream(err); err != nil {
		return err
	}
	u, err := c.Client(ctx)
	if err != nil {
		return err
	}
	for range e.n {
		if err := u.Send(&interop.Request{}); err != nil {
			return err
		}
	}
	total, err := u.CloseAndRecv()
	return all(err, same("count", int(total.GetCount()), e.n))
}

// streams holds n streams of one connection open at the same time.
func streams(ctx context.Context, e *env) error {
	c := e.client()
	var open []interopservice.InteropService_BidiClient
	addresses := map[string]bool{}
	for range e.n {
		st, err := c.Bidi(ctx)
		if err != nil {
			return err
		}
		if err := st.Send(request("peer")); err != nil {
			return err
		}
		open = append(open, st)
	}
	for _, st := range open {
		r, err := st.Recv()
		if err != nil {
			return err
		}
		addresses[r.GetMessage()] = true
	}
	for i, st := range open {
		if err := st.Send(request(fmt.Sprint(i))); err != nil {
			return err
		}
	}
	for i := len(open) - 1; i >= 0; i-- {
		r, err := open[i].Recv()
		if err := all(err, echoed(r, fmt.Sprint(i), nil)); err != nil {
			return err
		}
	}
	for _, st := range open {
		if err := st.Close(); err != nil {
			return err
		}
	}
	for _, st := range open {
		_, err := st.Recv()
		if err := endOfStream(err); err != nil {
			return err
		}
	}
	return same("number of connections", len(addresses), 1)
}

// slowReader leaves one stream unread while another one of the same connection goes on.
func slowReader(ctx context.Context, e *env) error {
	c := e.client(streamclient.WithGRPCInitialWindowSize(65535))
	blob := make([]byte, 64<<10)
	req := counted("slow", 100)
	req.Blob = blob
	slow, err := c.Server(ctx, req)
	if err != nil {
		return err
	}
	if err := bidi(ctx, e, c, "fast"); err != nil {
		return err
	}
	for range 100 {
		r, err := slow.Recv()
		if err := all(err, echoed(r, "slow", blob)); err != nil {
			return err
		}
	}
	_, err = slow.Recv()
	return endOfStream(err)
}
