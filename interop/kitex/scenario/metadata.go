package scenario

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bytedance/gopkg/cloud/metainfo"
	"github.com/cloudwego/kitex/client/streamclient"
	"github.com/cloudwego/kitex/pkg/endpoint"
	"github.com/cloudwego/kitex/pkg/kerrors"
	"github.com/cloudwego/kitex/pkg/remote/trans/nphttp2"
	"github.com/cloudwego/kitex/pkg/remote/trans/nphttp2/metadata"
	"github.com/cloudwego/kitex/pkg/streaming"
	"github.com/cloudwego/kitex/pkg/utils"
	"millrace.dev/interop/kitex_gen/millrace/interop"
)

func metadatas(m map[string]function) {
	m["header-trailer-bidi"] = headerTrailerBidi
	m["header-trailer-server"] = headerTrailerServer
	m["header-trailer-unary"] = headerTrailerUnary
	m["send-header"] = sendHeader
	m["header-names"] = headerNames
	m["upper-header"] = upperHeader
	m["upper-trailer"] = upperTrailer
	m["metadata"] = requestMetadata
	m["metainfo"] = requestMetainfo
	m["client-middleware-unary"] = middlewareUnary
	m["client-middleware-bidi"] = middlewareBidi
	m["client-middleware-client"] = middlewareClient
	m["client-middleware-server"] = middlewareServer
	m["call-with-timeout-send"] = func(ctx context.Context, e *env) error { return callWithTimeout(ctx, e, "send") }
	m["call-with-timeout-recv"] = func(ctx context.Context, e *env) error { return callWithTimeout(ctx, e, "recv") }
}

func values(md metadata.MD, pairs ...string) error {
	for i := 0; i < len(pairs); i += 2 {
		if got := strings.Join(md.Get(pairs[i]), ","); got != pairs[i+1] {
			return fmt.Errorf("%s is %q, expected %q", pairs[i], got, pairs[i+1])
		}
	}
	return nil
}

var (
	headerPairs  = []string{"h-one", "1", "h-multi", "a,b", "h-bin", "\x00\x7f"}
	trailerPairs = []string{"t-one", "1", "t-multi", "a,b", "t-bin", "\x01\x02\x03\x04"}
)

func headerTrailerBidi(ctx context.Context, e *env) error {
	st, err := e.client().Bidi(ctx)
	if err != nil {
		return err
	}
	if err := all(st.Send(request("header-trailer")), recvEcho(st, "header-trailer")); err != nil {
		return err
	}
	header, err := st.Header()
	if err := all(err, values(header, headerPairs...), st.Close()); err != nil {
		return err
	}
	_, err = st.Recv()
	return all(endOfStream(err), values(st.Trailer(), trailerPairs...))
}

// headerTrailerServer has a header and a trailer, and no message.
func headerTrailerServer(ctx context.Context, e *env) error {
	st, err := e.client().Server(ctx, request("header-trailer"))
	if err != nil {
		return err
	}
	_, err = st.Recv()
	header, broken := st.Header()
	return all(endOfStream(err), broken, values(header, headerPairs...), values(st.Trailer(), trailerPairs...))
}

func headerTrailerUnary(ctx context.Context, e *env) error {
	var header, trailer metadata.MD
	ctx = nphttp2.GRPCTrailer(nphttp2.GRPCHeader(ctx, &header), &trailer)
	_, err := e.client().Unary(ctx, request("hi"))
	return all(err, values(header, "content-type", "application/grpc+thrift"))
}

// sendHeader has the header 300 ms before the first message.
func sendHeader(ctx context.Context, e *env) error {
	st, err := e.client().Bidi(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := st.Send(request("send-header")); err != nil {
		return err
	}
	header, err := st.Header()
	if err := all(err, values(header, "early", "1")); err != nil {
		return err
	}
	early := time.Since(began)
	if err := all(recvEcho(st, "send-header"), st.Close()); err != nil {
		return err
	}
	_, err = st.Recv()
	return all(endOfStream(err), expect(early < 250*time.Millisecond, "the header took %v", early))
}

func headerNames(ctx context.Context, e *env) error {
	st, err := e.client().Bidi(ctx)
	if err != nil {
		return err
	}
	if err := all(st.Send(request("header-names")), recvEcho(st, "header-names")); err != nil {
		return err
	}
	header, err := st.Header()
	if err := all(err, st.Close(), values(header, "hello", "3,4", "foo_bar", "5,6", "bar-foo", "7,8", "x1", "9", "x_1", "10", "1_x", "11")); err != nil {
		return err
	}
	_, err = st.Recv()
	return all(endOfStream(err), values(st.Trailer(), "xxx", "1,2", "yyy_zzz", "3", "zzz-yyy", "4", "x1", "5", "x_1", "6", "1_x", "7"))
}

// upperHeader has a server that sends a name HTTP/2 does not allow. Only a Kitex server does that.
func upperHeader(ctx context.Context, e *env) error {
	st, err := e.client().Bidi(ctx)
	if err != nil {
		return err
	}
	if err := st.Send(request("upper-header")); err != nil {
		return err
	}
	_, err = st.Header()
	e.saw("header", nil, err)
	return expect(err != nil && strings.Contains(err.Error(), `invalid header field name "HELLO"`), "header: %v", err)
}

func upperTrailer(ctx context.Context, e *env) error {
	st, err := e.client().Bidi(ctx)
	if err != nil {
		return err
	}
	if err := all(st.Send(request("upper-trailer")), recvEcho(st, "upper-trailer"), st.Close()); err != nil {
		return err
	}
	_, err = st.Recv()
	e.saw("recv", nil, err)
	return same("number of trailers", len(st.Trailer()), 0)
}

// requestMetadata is the metadata part of T28: names, repeated values, lookup that ignores case.
func requestMetadata(ctx context.Context, e *env) error {
	for _, k := range []string{"hello", "WORLD", "foo_bar", "BAR_FOO", "HELLO"} {
		ctx = metadata.AppendToOutgoingContext(ctx, k, "1", k, "2")
	}
	ctx = metadata.AppendToOutgoingContext(ctx, "key-bin", "\x00ab\x7f")
	st, err := e.client().Bidi(ctx)
	if err != nil {
		return err
	}
	for name, want := range map[string]string{"hello": "1,2,1,2", "HELLO": "1,2,1,2", "world": "1,2", "foo_bar": "1,2", "bar_foo": "1,2", "key-bin": "\x00ab\x7f", "none": ""} {
		if err := st.Send(keyed("metadata", name)); err != nil {
			return err
		}
		r, err := st.Recv()
		if err := all(err, same("metadata "+name, r.GetMessage(), want)); err != nil {
			return err
		}
	}
	return st.Close()
}

// requestMetainfo is the metainfo part of T28: every name arrives in capitals with underscores.
func requestMetainfo(ctx context.Context, e *env) error {
	ctx = metainfo.WithValue(ctx, "Foo_Bar", "1")
	ctx = metainfo.WithValue(ctx, "hello-world", "2")
	ctx = metainfo.WithValue(ctx, "bad key", "3")
	ctx = metainfo.WithPersistentValue(ctx, "p", "4")
	want := "persistent P=4; transient FOO_BAR=1; transient HELLO_WORLD=2"
	r, err := e.client().Unary(ctx, request("metainfo"))
	if err := all(err, same("metainfo of a unary call", r.GetMessage(), want)); err != nil {
		return err
	}
	st, err := e.client().Bidi(ctx)
	if err != nil {
		return err
	}
	if err := st.Send(request("metainfo")); err != nil {
		return err
	}
	r, err = st.Recv()
	return all(err, same("metainfo of a stream", r.GetMessage(), want), st.Close())
}

// middlewareUnary answers in the client's middleware, without a server.
func middlewareUnary(ctx context.Context, e *env) error {
	c := e.client(streamclient.WithMiddleware(func(next endpoint.Endpoint) endpoint.Endpoint {
		return func(ctx context.Context, req, resp any) error {
			args, ok := req.(utils.KitexArgs)
			if !ok {
				return fmt.Errorf("arguments of type %T", req)
			}
			if args.GetFirstArgument().(*interop.Request).GetMessage() != "request" {
				return errors.New("another request")
			}
			m := "from the middleware"
			resp.(utils.KitexResult).SetSuccess(&interop.Response{Message: &m})
			return nil
		}
	}))
	r, err := c.Unary(ctx, request("request"))
	return all(err, echoed(r, "from the middleware", nil))
}

// watch is a client whose middlewares record each message and change each answer.
func watch(e *env) (sent, received *[]string, options []streamclient.Option) {
	sent, received = &[]string{}, &[]string{}
	return sent, received, []streamclient.Option{
		streamclient.WithSendMiddleware(func(next endpoint.SendEndpoint) endpoint.SendEndpoint {
			return func(st streaming.Stream, msg any) error {
				*sent = append(*sent, msg.(*interop.Request).GetMessage())
				return next(st, msg)
			}
		}),
		streamclient.WithRecvMiddleware(func(next endpoint.RecvEndpoint) endpoint.RecvEndpoint {
			return func(st streaming.Stream, msg any) error {
				err := next(st, msg)
				if r, ok := msg.(*interop.Response); ok && err == nil {
					*received = append(*received, r.GetMessage())
					m := "changed"
					r.Message = &m
				}
				return err
			}
		}),
	}
}

func lists(sent, received []string, wantSent, wantReceived string) error {
	return all(same("sent", strings.Join(sent, ","), wantSent), same("received", strings.Join(received, ","), wantReceived))
}

func middlewareBidi(ctx context.Context, e *env) error {
	sent, received, options := watch(e)
	st, err := e.client(options...).Bidi(ctx)
	if err != nil {
		return err
	}
	return all(st.Send(request("request")), recvEcho(st, "changed"), lists(*sent, *received, "request", "request"), st.Close())
}

func middlewareClient(ctx context.Context, e *env) error {
	sent, received, options := watch(e)
	st, err := e.client(options...).Client(ctx)
	if err != nil {
		return err
	}
	if err := all(st.Send(request("a")), st.Send(request("b"))); err != nil {
		return err
	}
	r, err := st.CloseAndRecv()
	return all(err, echoed(r, "changed", nil), lists(*sent, *received, "a,b", "total"))
}

func middlewareServer(ctx context.Context, e *env) error {
	sent, received, options := watch(e)
	st, err := e.client(options...).Server(ctx, counted("request", 2))
	if err != nil {
		return err
	}
	for range 2 {
		r, err := st.Recv()
		if err := all(err, echoed(r, "changed", nil)); err != nil {
			return err
		}
	}
	_, err = st.Recv()
	return all(endOfStream(err), lists(*sent, *received, "request", "request,request"))
}

// callWithTimeout has a middleware that makes one operation take longer than it may.
func callWithTimeout(ctx context.Context, e *env, op string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	slow := streamclient.WithSendMiddleware(func(next endpoint.SendEndpoint) endpoint.SendEndpoint {
		return func(st streaming.Stream, msg any) error {
			time.Sleep(100 * time.Millisecond)
			return next(st, msg)
		}
	})
	if op == "recv" {
		slow = streamclient.WithRecvMiddleware(func(next endpoint.RecvEndpoint) endpoint.RecvEndpoint {
			return func(st streaming.Stream, msg any) error {
				time.Sleep(100 * time.Millisecond)
				return next(st, msg)
			}
		})
	}
	st, err := e.client(slow).Bidi(ctx)
	if err != nil {
		return err
	}
	if op == "recv" {
		if err := st.Send(request("hi")); err != nil {
			return err
		}
	}
	err = streaming.CallWithTimeout(50*time.Millisecond, cancel, func() error {
		if op == "send" {
			return st.Send(request("hi"))
		}
		_, err := st.Recv()
		return err
	})
	e.saw(op, nil, err)
	return all(expect(errors.Is(err, kerrors.ErrRPCTimeout), "not a timeout: %v", err), expect(strings.Contains(err.Error(), "timeout in business code"), "text: %v", err))
}

// Names lists the scenarios.
func Names() []string {
	var names []string
	for name := range scenarios() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func scenarios() map[string]function {
	m := map[string]function{}
	modes(m)
	endings(m)
	metadatas(m)
	types(m)
	pingPong(m)
	asking(m)
	traces(m)
	around(m)
	governing(m)
	m["scripts"] = scripts
	m["ttstream"] = streamsOverTTHeader
	return m
}
