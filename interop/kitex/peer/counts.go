package peer

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"sync"

	"github.com/cloudwego/kitex/pkg/endpoint/sep"
	"github.com/cloudwego/kitex/pkg/remote/trans/ttstream"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
	"github.com/cloudwego/kitex/pkg/serviceinfo"
	"github.com/cloudwego/kitex/pkg/streaming"
	"github.com/cloudwego/kitex/server"
)

// Counts are what middlewares, event handlers and a tracer of one stream were called, on either side.
type Counts struct {
	mu sync.Mutex
	// Middleware counts calls of middlewares and of those that builders made: `stream`, `recv`, `send`.
	Middleware map[string]int `json:"middleware"`
	Builder    map[string]int `json:"builder"`
	// Events by name.
	Events map[string]int `json:"events"`
	// Trailer is that of the Finish event, null without one.
	Trailer map[string]string `json:"trailer"`
	// Mode and Protocol are those that a tracer sees at the end, and Ends how often it sees that.
	Mode     string `json:"mode"`
	Protocol string `json:"protocol"`
	Starts   int    `json:"starts"`
	Ends     int    `json:"ends"`
}

var modes = map[serviceinfo.StreamingMode]string{
	serviceinfo.StreamingNone: "none", serviceinfo.StreamingUnary: "unary", serviceinfo.StreamingClient: "client",
	serviceinfo.StreamingServer: "server", serviceinfo.StreamingBidirectional: "bidi",
}

// NewCounts has everything at zero.
func NewCounts() *Counts {
	return &Counts{Middleware: map[string]int{}, Builder: map[string]int{}, Events: map[string]int{}}
}

// Add counts one call.
func (c *Counts) Add(of map[string]int, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	of[name]++
}

// Finish is the Finish event.
func (c *Counts) Finish(evt rpcinfo.StreamFinishEvent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Events["finish"]++
	c.Trailer = evt.TTStreamTrailer
}

// Began is the start of a tracer.
func (c *Counts) Began() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Starts++
}

// Ended is the end of a tracer.
func (c *Counts) Ended(ri rpcinfo.RPCInfo) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Ends++
	c.Mode, c.Protocol = modes[ri.Invocation().StreamingMode()], ri.Config().TransportProtocol().String()
}

// Copy is what they are now.
func (c *Counts) Copy() *Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &Counts{
		Middleware: maps.Clone(c.Middleware), Builder: maps.Clone(c.Builder), Events: maps.Clone(c.Events),
		Trailer: c.Trailer, Mode: c.Mode, Protocol: c.Protocol, Starts: c.Starts, Ends: c.Ends,
	}
}

// headerFrame is the key of what the hook for Header frames saw.
type headerFrame struct{}

type headerHook struct{}

func (headerHook) OnReadStream(ctx context.Context, ints ttstream.IntHeader, strs ttstream.StrHeader) (context.Context, error) {
	all := map[string]string{}
	for k, v := range ints {
		all[fmt.Sprint(k)] = v
	}
	maps.Copy(all, strs)
	return context.WithValue(ctx, headerFrame{}, all), nil
}

// streamCounts keeps the counts of the streams of a server; a stream that is over leaves them under its key and `/counts`.
type streamCounts struct {
	seen *seen
	of   sync.Map
}

func (s *streamCounts) by(ri rpcinfo.RPCInfo) *Counts {
	c, _ := s.of.LoadOrStore(ri, NewCounts())
	return c.(*Counts)
}

func (s *streamCounts) in(ctx context.Context) *Counts { return s.by(rpcinfo.GetRPCInfo(ctx)) }

func (s *streamCounts) Start(ctx context.Context) context.Context {
	s.in(ctx).Began()
	return ctx
}

func (s *streamCounts) Finish(ctx context.Context) {
	ri := rpcinfo.GetRPCInfo(ctx)
	c := s.by(ri)
	c.Ended(ri)
	text, _ := json.Marshal(c.Copy())
	s.seen.put(keyOf(ctx)+"/counts", string(text))
	s.of.Delete(ri)
}

// streamXOptions count what happens to streams, and let handlers see the Header frame.
func streamXOptions(seen *seen) []server.Option {
	s := &streamCounts{seen: seen}
	around := func(of func(*Counts) map[string]int) (sep.StreamMiddleware, sep.StreamRecvMiddleware, sep.StreamSendMiddleware) {
		return func(next sep.StreamEndpoint) sep.StreamEndpoint {
				return func(ctx context.Context, st streaming.ServerStream) error {
					c := s.in(ctx)
					c.Add(of(c), "stream")
					return next(ctx, st)
				}
			}, func(next sep.StreamRecvEndpoint) sep.StreamRecvEndpoint {
				return func(ctx context.Context, st streaming.ServerStream, m any) error {
					c := s.in(ctx)
					c.Add(of(c), "recv")
					return next(ctx, st, m)
				}
			}, func(next sep.StreamSendEndpoint) sep.StreamSendEndpoint {
				return func(ctx context.Context, st streaming.ServerStream, m any) error {
					c := s.in(ctx)
					c.Add(of(c), "send")
					return next(ctx, st, m)
				}
			}
	}
	stream, recv, send := around(func(c *Counts) map[string]int { return c.Middleware })
	builtStream, builtRecv, builtSend := around(func(c *Counts) map[string]int { return c.Builder })
	return []server.Option{
		server.WithTracer(s),
		server.WithTTHeaderStreamingOptions(server.WithTTHeaderStreamingTransportOptions(ttstream.WithServerHeaderFrameHandler(headerHook{}))),
		server.WithStreamOptions(
			server.WithStreamMiddleware(stream), server.WithStreamRecvMiddleware(recv), server.WithStreamSendMiddleware(send),
			server.WithStreamMiddlewareBuilder(func(context.Context) sep.StreamMiddleware { return builtStream }),
			server.WithStreamRecvMiddlewareBuilder(func(context.Context) sep.StreamRecvMiddleware { return builtRecv }),
			server.WithStreamSendMiddlewareBuilder(func(context.Context) sep.StreamSendMiddleware { return builtSend }),
			server.WithStreamEventHandler(rpcinfo.ServerStreamEventHandler{
				HandleStreamStartEvent: func(ctx context.Context, ri rpcinfo.RPCInfo, _ rpcinfo.StreamStartEvent) {
					c := s.by(ri)
					c.Add(c.Events, "start")
				},
				HandleStreamRecvEvent: func(ctx context.Context, ri rpcinfo.RPCInfo, _ rpcinfo.StreamRecvEvent) {
					c := s.by(ri)
					c.Add(c.Events, "recv")
				},
				HandleStreamSendEvent: func(ctx context.Context, ri rpcinfo.RPCInfo, _ rpcinfo.StreamSendEvent) {
					c := s.by(ri)
					c.Add(c.Events, "send")
				},
				HandleStreamFinishEvent: func(ctx context.Context, ri rpcinfo.RPCInfo, evt rpcinfo.StreamFinishEvent) { s.by(ri).Finish(evt) },
			}),
		),
	}
}
