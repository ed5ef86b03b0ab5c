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
	// Registers the gzip compressor with the HTTP/2 transport.
	_ "github.com/cloudwego/kitex/pkg/remote/codec/protobuf/encoding/gzip"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
	"github.com/cloudwego/kitex/pkg/streaming"
	"github.com/cloudwego/kitex/pkg/utils"
	"github.com/cloudwego/kitex/server"
	"millrace.dev/interop/kitex_gen/millrace/interop"
	"millrace.dev/interop/kitex_gen/millrace/interop/interopservice"
	"millrace.dev/interop/kitex_gen/millrace/second/secondservice"
)

// Options of a server.
type Options struct {
	// Grace is how long streams may go on after a stop.
	Grace time.Duration
	// Middleware is the name of one of the middlewares below, or empty.
	Middleware string
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
	extra, err := middleware(o.Middleware)
	if err != nil {
		return err
	}
	s := server.NewServer(append(opts, extra...)...)
	h := &Handlers{seen: &seen{texts: map[string]string{}}, drain: func() {
		select {
		case exit <- nil:
		default:
		}
	}}
	if err := interopservice.RegisterService(s, h, server.WithFallbackService()); err != nil {
		return err
	}
	if err := secondservice.RegisterService(s, &Second{}); err != nil {
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
