package scenario

import (
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/pkg/connpool"
	"github.com/cloudwego/kitex/pkg/remote"
	"github.com/cloudwego/kitex/pkg/remote/codec"
	"github.com/cloudwego/kitex/pkg/remote/trans/netpoll"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
	"github.com/cloudwego/kitex/pkg/transmeta"
	"github.com/cloudwego/kitex/transport"
	"millrace.dev/interop/kitex_gen/millrace/calls/callsservice"
	"millrace.dev/interop/kitex_gen/millrace/interop"
)

// CallOptions of PingPong clients.
type CallOptions struct {
	// Encoding is buffered, framed, ttheader or ttheader-framed, which is the default.
	Encoding string `json:"encoding,omitempty"`
	// Connection is long, which is the default, short or mux.
	Connection string `json:"connection,omitempty"`
	// Plain is a client without the handlers of TTHeader's keys, as Kitex makes it by default.
	Plain bool `json:"plain,omitempty"`
	// Checksum writes and checks CRC-32C.
	Checksum bool `json:"checksum,omitempty"`
}

// keyed says whether calls carry the keys of a TTHeader.
func (o CallOptions) keyed() bool {
	return !o.Plain && o.Encoding != "buffered" && o.Encoding != "framed"
}

// counting counts dials.
type counting struct {
	remote.Dialer
	e *env
}

func (c counting) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	c.e.dials.Add(1)
	return c.Dialer.DialTimeout(network, address, timeout)
}

func (e *env) callOptions(more ...client.Option) []client.Option {
	o := e.calling
	opts := []client.Option{
		client.WithHostPorts(e.address),
		client.WithClientBasicInfo(&rpcinfo.EndpointBasicInfo{ServiceName: "interop-go-client"}),
		client.WithDialer(counting{netpoll.NewDialer(), e}),
		client.WithConnectTimeout(2 * time.Second),
	}
	switch o.Encoding {
	case "buffered":
		opts = append(opts, client.WithTransportProtocol(transport.PurePayload))
	case "framed":
		opts = append(opts, client.WithTransportProtocol(transport.PurePayload), client.WithTransportProtocol(transport.Framed))
	case "ttheader":
		opts = append(opts, client.WithTransportProtocol(transport.PurePayload), client.WithTransportProtocol(transport.TTHeader))
	default:
		opts = append(opts, client.WithTransportProtocol(transport.TTHeaderFramed))
	}
	if o.keyed() {
		opts = append(opts, client.WithMetaHandler(transmeta.ClientTTHeaderHandler))
	}
	switch o.Connection {
	case "short":
		opts = append(opts, client.WithShortConnection())
	case "mux":
		opts = append(opts, client.WithMuxConnection(1))
	default:
		opts = append(opts, client.WithLongConnection(connpool.IdleConfig{MaxIdlePerAddress: 100, MaxIdleGlobal: 1000, MaxIdleTimeout: time.Minute}))
	}
	if o.Checksum {
		opts = append(opts, client.WithCodec(codec.NewDefaultCodecWithConfig(codec.CodecConfig{CRC32Check: true})))
	}
	return append(opts, more...)
}

func (e *env) calls(more ...client.Option) callsservice.Client {
	return callsservice.MustNewClient("interop", e.callOptions(more...)...)
}

// many makes n calls, 64 at once; the first error.
func (e *env) many(n int, call func(i int) error) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var first error
	slots := make(chan struct{}, 64)
	for i := range n {
		slots <- struct{}{}
		wg.Add(1)
		go func() {
			defer wg.Done()
			if err := call(i); err != nil {
				mu.Lock()
				if first == nil {
					first = fmt.Errorf("call %d: %w", i, err)
				}
				mu.Unlock()
			}
			<-slots
		}()
	}
	wg.Wait()
	return first
}

func pingPong(m map[string]function) {
	m["call-shapes"] = callShapes
	m["call-types"] = callTypes
	m["call-mixed"] = callMixed
	m["call-oneway"] = callOneway
	m["call-nil"] = func(ctx context.Context, e *env) error {
		r, err := e.calls().Call(ctx, request("nil"))
		return all(e.saw("call", nil, err), expect(r == nil, "a result: %v", r))
	}
	m["call-required"] = func(ctx context.Context, e *env) error {
		// a struct that is null goes out as an empty one, which lacks the required member
		_, err := e.calls().NeedText(ctx, nil)
		e.saw("call", nil, err)
		// Kitex puts the names of its Go types before it, and more behind it where the message has no length
		var trans *remote.TransError
		return expect(errors.As(err, &trans) && trans.TypeID() == 7 && strings.Contains(err.Error(), "required field text is not set"), "not the member that is missing: %v", err)
	}
	m["call-union"] = func(ctx context.Context, e *env) error {
		c := e.calls()
		for _, choice := range []*interop.Choice{{Number: ptr(int32(7))}, {Text: ptr("")}, {Point: &interop.Point{X: 1}}, {Words: []string{"a"}}, {Flag: ptr(false)}} {
			got, err := c.Choose(ctx, choice)
			if err := all(err, expect(reflect.DeepEqual(got, choice), "%v came back as %v", choice, got)); err != nil {
				return err
			}
		}
		// Kitex's writer panics, nothing is sent
		_, err := c.Choose(ctx, &interop.Choice{})
		return expect(err != nil && strings.Contains(err.Error(), "exactly one field must be set"), "not refused: %v", err)
	}
	m["call-big"] = callBig
	m["call-many"] = callMany
	m["call-peers"] = callPeers
	m["call-timeout"] = callTimeout
	m["call-timeout-seen"] = callTimeoutSeen
	m["call-cancel"] = callCancel
	m["call-metainfo"] = callMetainfo
	m["call-middleware"] = callMiddleware
	m["call-middleware-server"] = func(ctx context.Context, e *env) error {
		r, err := e.calls().Call(ctx, request("hi"))
		return all(e.saw("call", r, err), echoed(r, "mw:hi", nil))
	}
	m["call-refused-by-middleware"] = func(ctx context.Context, e *env) error {
		_, err := e.calls().Call(ctx, request("hi"))
		e.saw("call", nil, err)
		return transOf(err, 6, "request over limit: request too frequent")
	}
	m["call-stop"] = callStop
	m["call-checksum-wrong"] = func(ctx context.Context, e *env) error {
		_, err := e.calls(client.WithMetaHandler(wrongChecksum{})).Call(ctx, request("hi"))
		e.saw("call", nil, err)
		return expect(err != nil && strings.Contains(err.Error(), "EOF"), "the server did not close: %v", err)
	}
	for word, check := range callErrors() {
		m["call-error-"+word] = func(ctx context.Context, e *env) error { return callError(ctx, e, word, check) }
	}
	routing(m)
}
