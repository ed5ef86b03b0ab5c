package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/client/callopt/streamcall"
	"github.com/cloudwego/kitex/pkg/endpoint"
	"github.com/cloudwego/kitex/pkg/endpoint/cep"
	"github.com/cloudwego/kitex/pkg/remote/trans/ttstream"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
	"github.com/cloudwego/kitex/pkg/streaming"
	"github.com/cloudwego/kitex/pkg/transmeta"
	"github.com/cloudwego/kitex/transport"
	"millrace.dev/interop/peer"
	sx "millrace.dev/interop/streamx/kitex_gen/millrace/interop"
	streamx "millrace.dev/interop/streamx/kitex_gen/millrace/interop/interopservice"
)

// StreamXOptions are those of a client that was generated with -streamx.
type StreamXOptions struct {
	// Pool is mux, which is the default, long or short.
	Pool string `json:"pool"`
	// Transport of streams is grpc where they go over HTTP/2.
	Transport string `json:"transport"`
	// Encoding of unary calls: framed, which is the default, ttheader-framed or buffered.
	Encoding string      `json:"encoding"`
	Recv     RecvTimeout `json:"recv"`
	// Millis until the deadline of the context.
	Millis int `json:"millis"`
	// UnaryMillis is the timeout of unary calls.
	UnaryMillis int               `json:"unaryMillis"`
	Transient   map[string]string `json:"transient"`
	Persistent  map[string]string `json:"persistent"`
	// Nameless is a client without a name of its own.
	Nameless bool `json:"nameless"`
	// Ints are keys that a hook writes into Header frames.
	Ints map[uint16]string `json:"ints"`
}

// RecvTimeout of streams: by the old option, by that with a config, or both; of the client, or of the call.
type RecvTimeout struct {
	Legacy int  `json:"legacy"`
	Config int  `json:"config"`
	Keep   bool `json:"keep"`
	Call   bool `json:"call"`
}

func (t RecvTimeout) config() streaming.TimeoutConfig {
	return streaming.TimeoutConfig{Timeout: time.Duration(t.Config) * time.Millisecond, DisableCancelRemote: t.Keep}
}

func (t RecvTimeout) clientOptions() (opts []client.StreamOption) {
	if t.Legacy != 0 {
		opts = append(opts, client.WithStreamRecvTimeout(time.Duration(t.Legacy)*time.Millisecond))
	}
	if t.Config != 0 {
		opts = append(opts, client.WithStreamRecvTimeoutConfig(t.config()))
	}
	return opts
}

func (t RecvTimeout) callOptions() (opts []streamcall.Option) {
	if t.Legacy != 0 {
		opts = append(opts, streamcall.WithRecvTimeout(time.Duration(t.Legacy)*time.Millisecond))
	}
	if t.Config != 0 {
		opts = append(opts, streamcall.WithRecvTimeoutConfig(t.config()))
	}
	return opts
}

// writesInts is a hook for Header frames.
type writesInts map[uint16]string

func (w writesInts) OnWriteStream(ctx context.Context) (ttstream.IntHeader, ttstream.StrHeader, error) {
	return ttstream.IntHeader(w), nil, nil
}

func (o StreamXOptions) options(address string, counts *peer.Counts) []client.Option {
	opts := []client.Option{client.WithHostPorts(address), client.WithTracer(&tracing{counts})}
	if !o.Nameless {
		opts = append(opts, client.WithClientBasicInfo(&rpcinfo.EndpointBasicInfo{ServiceName: "tester"}))
	}
	switch o.Encoding {
	case "ttheader-framed":
		opts = append(opts, client.WithTransportProtocol(transport.TTHeaderFramed), client.WithMetaHandler(transmeta.ClientTTHeaderHandler))
	case "buffered":
		opts = append(opts, client.WithTransportProtocol(transport.PurePayload))
	}
	if o.Transport == "grpc" {
		opts = append(opts, client.WithTransportProtocol(transport.GRPCStreaming))
	}
	pool := ttstream.WithClientMuxConnPool(ttstream.MuxConnConfig{PoolSize: 1})
	switch o.Pool {
	case "long":
		pool = ttstream.WithClientLongConnPool(ttstream.LongConnConfig{MaxIdleTimeout: time.Second})
	case "short":
		pool = ttstream.WithClientShortConnPool()
	}
	tt := []ttstream.ClientHandlerOption{pool}
	if o.Ints != nil {
		tt = append(tt, ttstream.WithClientHeaderFrameHandler(writesInts(o.Ints)))
	}
	opts = append(opts, client.WithTTHeaderStreamingOptions(client.WithTTHeaderStreamingTransportOptions(tt...)))
	opts = append(opts, client.WithStreamOptions(countingAll(counts)...))
	if !o.Recv.Call {
		opts = append(opts, client.WithStreamOptions(o.Recv.clientOptions()...))
	}
	unary := []client.UnaryOption{client.WithUnaryMiddleware(func(next endpoint.UnaryEndpoint) endpoint.UnaryEndpoint {
		return func(ctx context.Context, req, resp any) error {
			counts.Add(counts.Middleware, "unary")
			return next(ctx, req, resp)
		}
	}), client.WithUnaryMiddlewareBuilder(func(context.Context) endpoint.UnaryMiddleware {
		return func(next endpoint.UnaryEndpoint) endpoint.UnaryEndpoint {
			return func(ctx context.Context, req, resp any) error {
				counts.Add(counts.Builder, "unary")
				return next(ctx, req, resp)
			}
		}
	})}
	if o.UnaryMillis != 0 {
		unary = append(unary, client.WithUnaryRPCTimeout(time.Duration(o.UnaryMillis)*time.Millisecond))
	}
	return append(opts, client.WithUnaryOptions(unary...))
}

// tracing is a tracer that counts.
type tracing struct{ counts *peer.Counts }

func (t *tracing) Start(ctx context.Context) context.Context {
	t.counts.Began()
	return ctx
}

func (t *tracing) Finish(ctx context.Context) { t.counts.Ended(rpcinfo.GetRPCInfo(ctx)) }

// countingAll counts middlewares and events of streams.
func countingAll(c *peer.Counts) []client.StreamOption {
	around := func(of map[string]int) (cep.StreamMiddleware, cep.StreamRecvMiddleware, cep.StreamSendMiddleware) {
		return func(next cep.StreamEndpoint) cep.StreamEndpoint {
				return func(ctx context.Context) (streaming.ClientStream, error) {
					c.Add(of, "stream")
					return next(ctx)
				}
			}, func(next cep.StreamRecvEndpoint) cep.StreamRecvEndpoint {
				return func(ctx context.Context, st streaming.ClientStream, m any) error {
					c.Add(of, "recv")
					return next(ctx, st, m)
				}
			}, func(next cep.StreamSendEndpoint) cep.StreamSendEndpoint {
				return func(ctx context.Context, st streaming.ClientStream, m any) error {
					c.Add(of, "send")
					return next(ctx, st, m)
				}
			}
	}
	stream, recv, send := around(c.Middleware)
	builtStream, builtRecv, builtSend := around(c.Builder)
	return []client.StreamOption{
		client.WithStreamMiddleware(stream), client.WithStreamRecvMiddleware(recv), client.WithStreamSendMiddleware(send),
		client.WithStreamMiddlewareBuilder(func(context.Context) cep.StreamMiddleware { return builtStream }),
		client.WithStreamRecvMiddlewareBuilder(func(context.Context) cep.StreamRecvMiddleware { return builtRecv }),
		client.WithStreamSendMiddlewareBuilder(func(context.Context) cep.StreamSendMiddleware { return builtSend }),
		client.WithStreamEventHandler(rpcinfo.ClientStreamEventHandler{
			HandleStreamStartEvent:      func(context.Context, rpcinfo.RPCInfo, rpcinfo.StreamStartEvent) { c.Add(c.Events, "start") },
			HandleStreamRecvHeaderEvent: func(context.Context, rpcinfo.RPCInfo, rpcinfo.StreamRecvHeaderEvent) { c.Add(c.Events, "recvHeader") },
			HandleStreamRecvEvent:       func(context.Context, rpcinfo.RPCInfo, rpcinfo.StreamRecvEvent) { c.Add(c.Events, "recv") },
			HandleStreamSendEvent:       func(context.Context, rpcinfo.RPCInfo, rpcinfo.StreamSendEvent) { c.Add(c.Events, "send") },
			HandleStreamFinishEvent:     func(_ context.Context, _ rpcinfo.RPCInfo, evt rpcinfo.StreamFinishEvent) { c.Finish(evt) },
		}),
	}
}

// streamsOverTTHeader goes through the modes over TTHeader streaming, and a unary call.
func streamsOverTTHeader(ctx context.Context, e *env) error {
	c := streamx.MustNewClient("interop", StreamXOptions{}.options(e.address, peer.NewCounts())...)
	b, err := c.Bidi(ctx)
	if err != nil {
		return err
	}
	for i := range e.n {
		word := fmt.Sprint("step ", i)
		if err := b.Send(ctx, &sx.Request{Message: &word}); err != nil {
			return err
		}
		r, err := b.Recv(ctx)
		if err := all(err, same("message", r.GetMessage(), word)); err != nil {
			return err
		}
	}
	if err := b.CloseSend(ctx); err != nil {
		return err
	}
	_, err = b.Recv(ctx)
	if err := endOfStream(err); err != nil {
		return err
	}
	if err := streamsAtOnce(ctx, e, c); err != nil {
		return err
	}
	up, err := c.Client(ctx)
	if err != nil {
		return err
	}
	for range e.n {
		if err := up.Send(ctx, &sx.Request{}); err != nil {
			return err
		}
	}
	total, err := up.CloseAndRecv(ctx)
	if err := all(err, same("count", int(total.GetCount()), e.n)); err != nil {
		return err
	}
	down, err := c.Server(ctx, &sx.Request{Message: ptr("server"), Count: ptr(int32(e.n))})
	if err != nil {
		return err
	}
	for i := range e.n {
		r, err := down.Recv(ctx)
		if err := all(err, same("count", int(r.GetCount()), i)); err != nil {
			return err
		}
	}
	_, err = down.Recv(ctx)
	if err := endOfStream(err); err != nil {
		return err
	}
	r, err := c.Unary(ctx, &sx.Request{Message: ptr("unary")})
	return all(err, same("message", r.GetMessage(), "unary"))
}

// streamsAtOnce holds sixty streams of one connection open, and reads them in reverse.
func streamsAtOnce(ctx context.Context, e *env, c streamx.Client) error {
	var open []streamx.InteropService_BidiClient
	addresses := map[string]bool{}
	for range 60 {
		st, err := c.Bidi(ctx)
		if err != nil {
			return err
		}
		if err := st.Send(ctx, &sx.Request{Message: ptr("peer")}); err != nil {
			return err
		}
		open = append(open, st)
	}
	for i := len(open) - 1; i >= 0; i-- {
		r, err := open[i].Recv(ctx)
		if err := all(err, open[i].CloseSend(ctx)); err != nil {
			return err
		}
		addresses[r.GetMessage()] = true
		_, err = open[i].Recv(ctx)
		if err := endOfStream(err); err != nil {
			return err
		}
	}
	return same("number of connections", len(addresses), 1)
}
