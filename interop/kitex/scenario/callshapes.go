package scenario

import (
	"context"
	"fmt"

	"github.com/bytedance/gopkg/cloud/metainfo"
	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/pkg/endpoint"
	"github.com/cloudwego/kitex/pkg/utils"
	"millrace.dev/interop/kitex_gen/millrace/calls"
	"millrace.dev/interop/kitex_gen/millrace/calls/callsservice"
	"millrace.dev/interop/kitex_gen/millrace/interop"
	"millrace.dev/interop/kitex_gen/millrace/interop/interopservice"
)

func callShapes(ctx context.Context, e *env) error {
	c := e.calls()
	for range e.n {
		blob := e.blob()
		r, err := c.Call(ctx, &interop.Request{Message: ptr("hi 错误"), Count: ptr(int32(-1)), Blob: blob})
		if err := all(e.saw("Call", nil, err), echoed(r, "hi 错误", blob), same("count", r.GetCount(), -1)); err != nil {
			return err
		}
		text, err := c.NeedText(ctx, &calls.Strict{Text: "needed"})
		if err := all(err, same("NeedText", text, "needed")); err != nil {
			return err
		}
		next, err := c.Next(ctx, 41)
		if err := all(err, same("Next", next, 42)); err != nil {
			return err
		}
		not, err := c.Not(ctx, true)
		if err := all(err, same("Not", not, false)); err != nil {
			return err
		}
		half, err := c.Half(ctx, -0.5)
		if err := all(err, same("Half", half, -0.25)); err != nil {
			return err
		}
		sum, err := c.Sum(ctx, []int64{1 << 60, 1, -3})
		if err := all(err, same("Sum", sum, 1<<60-2)); err != nil {
			return err
		}
		bytes, err := c.Bytes(ctx, []byte{0, 1, 0xff})
		if err := all(err, same("Bytes", string(bytes), "\x00\x01\xff")); err != nil {
			return err
		}
		empty, err := c.Bytes(ctx, nil)
		if err := all(err, same("empty Bytes", len(empty), 0)); err != nil {
			return err
		}
		sizes, err := c.Sizes(ctx, []string{"", "ab", "错"})
		if err := all(err, same("Sizes", fmt.Sprint(sizes), "map[:0 ab:2 错:3]")); err != nil {
			return err
		}
		repeated, err := c.Repeat(ctx, "ab", 2)
		if err := all(err, same("Repeat", repeated, "abab"), c.Nothing(ctx), c.Attempt(ctx, request("hi"))); err != nil {
			return err
		}
	}
	return nil
}

func callTypes(ctx context.Context, e *env) error {
	c := e.calls()
	for range e.n {
		for name, v := range everything() {
			got, err := c.Every(ctx, v)
			if err := all(err, equal(name, got, v)); err != nil {
				return err
			}
		}
	}
	return nil
}

// callMixed calls the PingPong methods of the service that has streams too, while a stream is open on the same port.
func callMixed(ctx context.Context, e *env) error {
	st, err := e.client().Bidi(ctx)
	if err != nil {
		return err
	}
	c := interopservice.MustNewClient("interop", e.callOptions()...)
	for range e.n {
		if err := all(st.Send(request("one")), recvEcho(st, "one")); err != nil {
			return err
		}
		r, err := c.Echo(ctx, request("hi"))
		if err := all(e.saw("Echo", nil, err), echoed(r, "hi", nil)); err != nil {
			return err
		}
		joined, err := c.Join(ctx, "a", "b")
		if err := all(err, same("Join", joined, "a-b"), c.Ping(ctx), c.Check(ctx, request("hi")), c.Notify(ctx, "text")); err != nil {
			return err
		}
		_, err = c.Echo(ctx, request("refused"))
		if err := refusedOf(err); err != nil {
			return err
		}
	}
	if err := st.Close(); err != nil {
		return err
	}
	_, err = st.Recv()
	return endOfStream(err)
}

// heard asks whether a oneway call arrived, or a handler ran to its end.
func heard(ctx context.Context, c callsservice.Client, k, text string) error {
	r, err := c.Call(ctx, keyed("seen", k))
	return all(err, same("what arrived", r.GetMessage(), text))
}

func callOneway(ctx context.Context, e *env) error {
	c := e.calls()
	for _, text := range []string{"told", "plain-error", "panic", "biz"} {
		k := key()
		if err := all(e.saw("Tell", nil, c.Tell(ctx, text, k)), heard(ctx, c, k, text)); err != nil {
			return err
		}
	}
	return nil
}

// callBig sends size bytes both ways, n times.
func callBig(ctx context.Context, e *env) error {
	c := e.calls()
	for range e.n {
		got, err := c.Bytes(ctx, e.blob())
		if err := all(err, expect(string(got) == string(e.blob()), "%d bytes came back different, with %d", e.size, len(got))); err != nil {
			return err
		}
	}
	return nil
}

// callMany makes n calls, 64 at once, each with an answer of its own.
func callMany(ctx context.Context, e *env) error {
	c := e.calls()
	err := e.many(e.n, func(i int) error {
		text := fmt.Sprint("call ", i)
		r, err := c.Call(ctx, &interop.Request{Message: &text, Blob: e.blob()})
		return all(err, echoed(r, text, e.blob()))
	})
	e.saw("dials", e.dials.Load(), nil)
	if err != nil {
		return err
	}
	switch dials := e.dials.Load(); e.calling.Connection {
	case "short":
		return same("dials", dials, int64(e.n))
	case "mux":
		return same("dials", dials, 1)
	default:
		return expect(dials <= 64, "%d dials for %d calls, 64 at once", dials, e.n)
	}
}

// callPeers makes n calls one after the other, and counts connections on both sides.
func callPeers(ctx context.Context, e *env) error {
	c := e.calls()
	peers := map[string]bool{}
	for range e.n {
		r, err := c.Call(ctx, request("peer"))
		if err := e.saw("peer", nil, err); err != nil {
			return err
		}
		peers[r.GetMessage()] = true
	}
	want := 1
	if e.calling.Connection == "short" {
		want = e.n
	}
	return all(same("dials", e.dials.Load(), int64(want)), same("peers", len(peers), want))
}

// callMiddleware has a client middleware that changes what goes out and what comes back.
func callMiddleware(ctx context.Context, e *env) error {
	c := e.calls(client.WithMiddleware(rewriting))
	r, err := c.Call(ctx, request("hi"))
	return all(e.saw("Call", r, err), echoed(r, "client mw:hi changed", nil))
}

// callMetainfo has values of all three kinds.
func callMetainfo(ctx context.Context, e *env) error {
	c := e.calls()
	ctx = metainfo.WithValue(ctx, "t", "1")
	ctx = metainfo.WithPersistentValue(ctx, "p", "错误")
	ctx = metainfo.WithValue(ctx, "gdpr-token", "tok")
	ctx = metainfo.WithValue(ctx, "e", "")
	r, err := c.Call(ctx, request("metainfo"))
	if err := e.saw("metainfo", r.GetMessage(), err); err != nil {
		return err
	}
	back := metainfo.WithBackwardValues(ctx)
	_, err = c.Call(back, request("backward"))
	got, _ := metainfo.RecvBackwardValue(back, "from-server")
	if err := e.saw("backward", got, err); err != nil {
		return err
	}
	if e.calling.Encoding == "buffered" || e.calling.Encoding == "framed" {
		return all(same("metainfo", r.GetMessage(), ""), same("backward", got, ""))
	}
	return all(same("metainfo", r.GetMessage(), "persistent p=错误; transient gdpr-token=tok; transient t=1"), same("backward", got, "v2"))
}

func rewriting(next endpoint.Endpoint) endpoint.Endpoint {
	return func(ctx context.Context, req, resp any) error {
		if args, ok := req.(utils.KitexArgs); ok {
			if r, ok := args.GetFirstArgument().(*interop.Request); ok {
				r.Message = ptr(r.GetMessage() + " changed")
			}
		}
		err := next(ctx, req, resp)
		if result, ok := resp.(utils.KitexResult); ok && err == nil {
			if r, ok := result.GetResult().(*interop.Response); ok {
				r.Message = ptr("client mw:" + r.GetMessage())
			}
		}
		return err
	}
}
