package peer

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/bytedance/gopkg/cloud/metainfo"
	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/client/callopt"
	"github.com/cloudwego/kitex/client/callopt/streamcall"
	"github.com/cloudwego/kitex/client/streamclient"
	"github.com/cloudwego/kitex/pkg/logid"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
	"github.com/cloudwego/kitex/pkg/transmeta"
	"github.com/cloudwego/kitex/transport"
	"millrace.dev/interop/kitex_gen/millrace/calls/callsservice"
	"millrace.dev/interop/kitex_gen/millrace/interop"
	"millrace.dev/interop/kitex_gen/millrace/interop/interopservice"
)

// Hop is what one server of a chain sees of its call.
type Hop struct {
	Transient  map[string]string `json:"transient"`
	Persistent map[string]string `json:"persistent"`
	LogID      string            `json:"logId"`
	Caller     string            `json:"caller"`
	// Left is the time until the deadline in milliseconds, 0 without one.
	Left int64 `json:"left"`
	// Trace, Span and Parent are those of the span in which the handler runs, all empty without one.
	Trace  string `json:"trace"`
	Span   string `json:"span"`
	Parent string `json:"parent"`
}

func here(ctx context.Context) Hop {
	h := Hop{
		Transient:  metainfo.GetAllValues(ctx),
		Persistent: metainfo.GetAllPersistentValues(ctx),
		LogID:      logid.GetStreamLogID(ctx),
		Caller:     rpcinfo.GetRPCInfo(ctx).From().ServiceName(),
		Left:       rpcinfo.GetRPCInfo(ctx).Config().RPCTimeout().Milliseconds(),
	}
	if at, ok := ctx.Deadline(); ok {
		h.Left = time.Until(at).Milliseconds()
	}
	h.Trace, h.Span, h.Parent = spanOf(ctx)
	return h
}

// next has the clients of a server for the calls that its handlers make, with the context that they have.
var next = sync.OnceValue(func() (c struct {
	calls   callsservice.Client
	streams interopservice.StreamClient
}) {
	me := &rpcinfo.EndpointBasicInfo{ServiceName: "interop-go"}
	nobody := "127.0.0.1:1"
	call := []client.Option{client.WithClientBasicInfo(me), client.WithHostPorts(nobody)}
	stream := []streamclient.Option{streamclient.WithClientBasicInfo(me), streamclient.WithHostPorts(nobody)}
	if tracedByOtel {
		call = append(call, client.WithSuite(ClientSuite()))
		stream = append(stream, streamclient.WithSuite(ClientSuite()))
	} else {
		call = append(call, client.WithMetaHandler(transmeta.ClientTTHeaderHandler))
		stream = append(stream, streamclient.WithMetaHandler(transmeta.ClientHTTP2Handler))
	}
	call = append(call, client.WithTransportProtocol(transport.TTHeaderFramed))
	c.calls = callsservice.MustNewClient("interop", call...)
	c.streams = interopservice.MustNewStreamClient("interop", stream...)
	return c
})

// chain answers with the hops from here on as JSON. The key of the request lists the servers that are still to be called, in the
// mode in which this one was.
func chain(ctx context.Context, req *interop.Request) (*interop.Response, error) {
	own, err := json.Marshal(here(ctx))
	if err != nil {
		return nil, err
	}
	hops := []json.RawMessage{}
	if req.GetKey() != "" {
		address, rest, _ := strings.Cut(req.GetKey(), ",")
		r, err := forward(ctx, address, &interop.Request{Message: req.Message, Count: req.Count, Key: &rest})
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(r.GetMessage()), &hops); err != nil {
			return nil, err
		}
	}
	all, err := json.Marshal(append([]json.RawMessage{own}, hops...))
	text := string(all)
	return &interop.Response{Message: &text}, err
}

func forward(ctx context.Context, address string, req *interop.Request) (*interop.Response, error) {
	switch rpcinfo.GetRPCInfo(ctx).Invocation().MethodName() {
	case "Call":
		return next().calls.Call(ctx, req, callopt.WithHostPort(address))
	case "Bidi":
		st, err := next().streams.Bidi(ctx, streamcall.WithHostPort(address))
		if err != nil {
			return nil, err
		}
		if err := st.Send(req); err != nil {
			return nil, err
		}
		r, err := st.Recv()
		if err != nil {
			return nil, err
		}
		return r, st.Close()
	default:
		return next().streams.Unary(ctx, req, streamcall.WithHostPort(address))
	}
}
