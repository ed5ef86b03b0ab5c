package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/cloudwego/kitex/pkg/endpoint"
	"github.com/cloudwego/kitex/pkg/kerrors"
	"github.com/cloudwego/kitex/pkg/klog"
	"github.com/cloudwego/kitex/pkg/remote"
	"github.com/cloudwego/kitex/pkg/remote/codec"
	// Registers the gzip compressor with the HTTP/2 transport.
	_ "github.com/cloudwego/kitex/pkg/remote/codec/protobuf/encoding/gzip"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
	"github.com/cloudwego/kitex/pkg/streaming"
	"github.com/cloudwego/kitex/pkg/transmeta"
	"github.com/cloudwego/kitex/pkg/utils"
	"github.com/cloudwego/kitex/pkg/utils/contextmap"
	"github.com/cloudwego/kitex/server"
	"github.com/cloudwego/kitex/server/genericserver"
	"millrace.dev/interop/kitex_gen/millrace/calls/callsservice"
	"millrace.dev/interop/kitex_gen/millrace/combined/combineservice"
	"millrace.dev/interop/kitex_gen/millrace/interop"
	"millrace.dev/interop/kitex_gen/millrace/interop/interopservice"
	firstroute "millrace.dev/interop/kitex_gen/millrace/routes/first"
	secondroute "millrace.dev/interop/kitex_gen/millrace/routes/second"
	"millrace.dev/interop/kitex_gen/millrace/second/secondservice"
	streamx "millrace.dev/interop/streamx/kitex_gen/millrace/interop/interopservice"
)

// Options of a server.
type Options struct {
	// Grace is how long streams may go on after a stop.
	Grace time.Duration
	// Middleware is the name of one of the middlewares below, or empty.
	Middleware string
	// Plain is a server without the handlers of TTHeader's keys, as Kitex makes it by default.
	Plain bool
	// Mux takes the transport for multiplexed clients, which knows TTHeader only.
	Mux bool
	// Checksum writes and checks CRC-32C.
	Checksum bool
	// WrongChecksum puts the key of a checksum over something else into answers.
	WrongChecksum bool
	// SizeLimit of a message in bytes; 0 is none.
	SizeLimit int
	// Services names a set of services, see register.
	Services string
	// Refuse turns calls away that name no service.
	Refuse bool
	// Unknown answers what no service has.
	Unknown bool
	// ContextTimeout gives handlers the deadline of the caller.
	ContextTimeout bool
	// Otel is a server traced by Kitex's OpenTelemetry suite, and so are the calls that it makes.
	Otel bool
	// Prometheus is a server with Kitex's Prometheus monitor.
	Prometheus bool
	// Registration says where the server registers, if anywhere.
	Registration Registration
}

type wrongChecksum struct{}

func (wrongChecksum) ReadMeta(ctx context.Context, msg remote.Message) (context.Context, error) {
	return ctx, nil
}

func (wrongChecksum) WriteMeta(ctx context.Context, msg remote.Message) (context.Context, error) {
	msg.TransInfo().PutTransStrInfo(map[string]string{"crc32c": "00000001"})
	return ctx, nil
}

func (o Options) list(h *Handlers) ([]server.Option, error) {
	opts, err := middleware(o.Middleware)
	switch {
	case o.Otel:
		TraceByOtel()
		opts = append(opts, server.WithSuite(serverSuite()))
	case !o.Plain:
		opts = append(opts, server.WithMetaHandler(transmeta.ServerTTHeaderHandler), server.WithMetaHandler(transmeta.ServerHTTP2Handler))
	}
	if o.Prometheus {
		opts = append(opts, server.WithTracer(ServerMonitor()))
	}
	if o.Mux {
		opts = append(opts, server.WithMuxTransport())
	}
	if o.Checksum {
		opts = append(opts, server.WithCodec(codec.NewDefaultCodecWithConfig(codec.CodecConfig{CRC32Check: true})))
	}
	if o.WrongChecksum {
		opts = append(opts, server.WithMetaHandler(wrongChecksum{}))
	}
	if o.SizeLimit > 0 {
		opts = append(opts, server.WithCodec(codec.NewDefaultCodecWithSizeLimit(o.SizeLimit)))
	}
	if o.Refuse {
		opts = append(opts, server.WithRefuseTrafficWithoutServiceName())
	}
	if o.ContextTimeout {
		opts = append(opts, server.WithEnableContextTimeout(true))
	}
	if o.Services == "streamx" {
		opts = append(opts, streamXOptions(h.seen)...)
	}
	registering, broken := o.Registration.options()
	return append(opts, registering...), errors.Join(err, broken)
}

// register adds the services of a set: by default those of the suite, of which InteropService is the fallback; `routes` the two that
// share a method, of which Second is the fallback, `conflict` the same without a fallback; `combined` the service made of two; `streamx`
// InteropService as the generator makes it with -streamx, which streams over TTHeader and HTTP/2 and has unary calls as PingPong calls.
func register(s server.Server, o Options, h *Handlers) error {
	var errs []error
	switch o.Services {
	case "":
		errs = append(errs, interopservice.RegisterService(s, h, server.WithFallbackService()),
			secondservice.RegisterService(s, &Second{}), callsservice.RegisterService(s, &Calls{h}))
	case "routes":
		errs = append(errs, firstroute.RegisterService(s, &First{}), secondroute.RegisterService(s, &SecondRoute{}, server.WithFallbackService()))
	case "conflict":
		errs = append(errs, firstroute.RegisterService(s, &First{}), secondroute.RegisterService(s, &SecondRoute{}))
	case "combined":
		errs = append(errs, combineservice.RegisterService(s, &Combined{}))
	case "streamx":
		errs = append(errs, streamx.RegisterService(s, &StreamX{h}, server.WithFallbackService()))
	default:
		errs = append(errs, fmt.Errorf("no set of services named %q", o.Services))
	}
	if o.Unknown {
		errs = append(errs, genericserver.RegisterUnknownServiceOrMethodHandler(s, &genericserver.UnknownServiceOrMethodHandler{
			// answers a string result: service, method, and how many bytes the arguments have
			DefaultHandler: func(ctx context.Context, service, method string, request any) (any, error) {
				text := fmt.Sprintf("unknown %s.%s(%d bytes)", service, method, len(request.([]byte)))
				out := append([]byte{11, 0, 0, 0, 0, 0, byte(len(text))}, text...)
				return append(out, 0), nil
			},
		}))
	}
	return errors.Join(errs...)
}

// Serve runs a server on a listener until the word `drain` or a signal stops it.
func Serve(ln net.Listener, o Options) error {
	klog.SetLevel(klog.LevelFatal)
	exit := make(chan error, 1)
	opts := []server.Option{
		server.WithListener(ln),
		server.WithExitWaitTime(o.Grace),
		server.WithExitSignal(func() <-chan error {
			go func() { exit <- <-signals() }()
			return exit
		}),
		server.WithServerBasicInfo(&rpcinfo.EndpointBasicInfo{ServiceName: "interop-go"}),
		server.WithCompatibleMiddlewareForUnary(),
	}
	h := &Handlers{seen: &seen{texts: map[string]string{}}, address: ln.Addr().String(), drain: func() {
		select {
		case exit <- nil:
		default:
		}
	}}
	extra, err := o.list(h)
	if err != nil {
		return err
	}
	s := server.NewServer(append(opts, extra...)...)
	if err := register(s, o, h); err != nil {
		return err
	}
	return s.Run()
}

func middleware(name string) ([]server.Option, error) {
	fail := func(err error) []server.Option {
		return []server.Option{server.WithMiddleware(func(next endpoint.Endpoint) endpoint.Endpoint {
			return func(ctx context.Context, req, resp any) error { return err }
		})}
	}
	switch name {
	case "":
		return nil, nil
	case "error":
		return fail(errors.New("mw-boom")), nil
	case "overlimit":
		return fail(kerrors.ErrOverlimit.WithCause(errors.New("request too frequent"))), nil
	case "acl":
		return fail(kerrors.ErrACL.WithCause(errors.New("denied"))), nil
	case "rewrite":
		return rewrite(), nil
	case "context-map":
		return withContextMap(), nil
	}
	return nil, fmt.Errorf("no middleware named %q", name)
}

// rewrite changes `request` into the name of the method on the way in, and prefixes what goes out with `mw:`.
func rewrite() []server.Option {
	out := func(r *interop.Response) { r.Message = Ptr("mw:" + r.GetMessage()) }
	return []server.Option{
		server.WithMiddleware(func(next endpoint.Endpoint) endpoint.Endpoint {
			return func(ctx context.Context, req, resp any) error {
				err := next(ctx, req, resp)
				if result, ok := resp.(utils.KitexResult); ok && err == nil {
					if r, ok := result.GetResult().(*interop.Response); ok {
						out(r)
					}
				}
				return err
			}
		}),
		server.WithRecvMiddleware(func(next endpoint.RecvEndpoint) endpoint.RecvEndpoint {
			return func(st streaming.Stream, msg any) error {
				err := next(st, msg)
				if r, ok := msg.(*interop.Request); ok && err == nil && r.GetMessage() == "request" {
					r.Message = Ptr(rpcinfo.GetRPCInfo(st.Context()).To().Method())
				}
				return err
			}
		}),
		server.WithSendMiddleware(func(next endpoint.SendEndpoint) endpoint.SendEndpoint {
			return func(st streaming.Stream, msg any) error {
				if r, ok := msg.(*interop.Response); ok {
					out(r)
				}
				return next(st, msg)
			}
		}),
	}
}

// withContextMap has the middleware for receiving store what came, and that for sending put it into what goes out.
func withContextMap() []server.Option {
	return []server.Option{
		server.WithMetaHandler(remote.NewCustomMetaHandler(remote.WithOnReadStream(func(ctx context.Context) (context.Context, error) {
			return contextmap.WithContextMap(ctx), nil
		}))),
		server.WithRecvMiddleware(func(next endpoint.RecvEndpoint) endpoint.RecvEndpoint {
			return func(st streaming.Stream, msg any) error {
				err := next(st, msg)
				if r, ok := msg.(*interop.Request); ok && err == nil {
					m, _ := contextmap.GetContextMap(st.Context())
					m.Store("received", r.GetMessage())
				}
				return err
			}
		}),
		server.WithSendMiddleware(func(next endpoint.SendEndpoint) endpoint.SendEndpoint {
			return func(st streaming.Stream, msg any) error {
				m, _ := contextmap.GetContextMap(st.Context())
				got, _ := m.Load("received")
				msg.(*interop.Response).Message = Ptr(fmt.Sprint("map:", got))
				return next(st, msg)
			}
		}),
	}
}

func signals() <-chan error {
	ended := make(chan error, 1)
	got := make(chan os.Signal, 1)
	signal.Notify(got, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-got
		ended <- nil
	}()
	return ended
}
