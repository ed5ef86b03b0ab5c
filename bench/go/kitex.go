package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/pkg/connpool"
	"github.com/cloudwego/kitex/pkg/klog"
	"github.com/cloudwego/kitex/server"
	"github.com/cloudwego/kitex/transport"

	"millrace.dev/bench/kitex_gen/echo"
	"millrace.dev/bench/kitex_gen/echo/testservice"
)

type kitexHandler struct{}

func (*kitexHandler) Echo(ctx context.Context, s echo.TestService_EchoServer) error {
	for {
		m, err := s.Recv(ctx)
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := s.Send(ctx, &echo.Message{Message: m.Message}); err != nil {
			return err
		}
	}
}

func (*kitexHandler) EchoServer(ctx context.Context, request *echo.Message, s echo.TestService_EchoServerServer) error {
	var n, size int
	if _, err := fmt.Sscanf(request.GetMessage(), "%d:%d", &n, &size); err != nil {
		return err
	}
	text := strings.Repeat("x", size)
	for range n {
		if err := s.Send(ctx, &echo.Message{Message: &text}); err != nil {
			return err
		}
	}
	return nil
}

func (*kitexHandler) EchoClient(ctx context.Context, s echo.TestService_EchoClientServer) error {
	for {
		if _, err := s.Recv(ctx); err == io.EOF {
			return s.SendAndClose(ctx, &echo.Message{})
		} else if err != nil {
			return err
		}
	}
}

func (*kitexHandler) EchoUnary(_ context.Context, request *echo.Message) (*echo.Message, error) {
	return &echo.Message{Message: request.Message}, nil
}

func (*kitexHandler) EchoPingPong(_ context.Context, request *echo.Message) (*echo.Message, error) {
	return &echo.Message{Message: request.Message}, nil
}

func serveKitex(l net.Listener) { serve(l) }

// serveKitexMux serves calls of one connection side by side, and nothing else than TTHeader then.
func serveKitexMux(l net.Listener) { serve(l, server.WithMuxTransport()) }

func serve(l net.Listener, options ...server.Option) {
	klog.SetLevel(klog.LevelFatal)
	must(testservice.NewServer(&kitexHandler{}, append(options, server.WithListener(l))...).Run())
}

type kitexCaller struct {
	// of streams
	client testservice.Client
	// by encoding
	calls map[string]testservice.Client
}

// longConnections keeps a connection for each call of any case.
var longConnections = connpool.IdleConfig{
	MinIdlePerAddress: 1, MaxIdlePerAddress: 256, MaxIdleGlobal: 1024, MaxIdleTimeout: time.Minute,
}

func newKitex(address string) caller { return newStreaming(address, transport.GRPC) }

// newKitexTTStream streams over TTHeader, all streams on one connection, as Kitex has it by default.
func newKitexTTStream(address string) caller {
	return newStreaming(address, transport.TTHeaderStreaming)
}

func newStreaming(address string, streams transport.Protocol) caller {
	return &kitexCaller{newClient(address, client.WithTransportProtocol(streams)), map[string]testservice.Client{
		"framed":          newClient(address, client.WithTransportProtocol(transport.Framed), client.WithLongConnection(longConnections)),
		"ttheader-framed": newClient(address, client.WithTransportProtocol(transport.TTHeader), client.WithLongConnection(longConnections)),
	}}
}

func newKitexMux(address string) caller {
	calls := newClient(address, client.WithTransportProtocol(transport.TTHeader), client.WithMuxConnection(1))
	return &kitexCaller{calls: map[string]testservice.Client{"ttheader-framed": calls}}
}

func newClient(address string, options ...client.Option) testservice.Client {
	klog.SetLevel(klog.LevelFatal)
	c, err := testservice.NewClient("bench", append(options, client.WithHostPorts(address))...)
	must(err)
	return c
}

var background = context.Background()

type kitexBidi struct {
	stream testservice.TestService_EchoClient
}

func (s kitexBidi) send(message string) error {
	return s.stream.Send(background, &echo.Message{Message: &message})
}
func (s kitexBidi) recv() error {
	_, err := s.stream.Recv(background)
	return err
}
func (s kitexBidi) closeSend() error { return s.stream.CloseSend(background) }

func (p *kitexCaller) bidi() (bidi, error) {
	s, err := p.client.Echo(background)
	return kitexBidi{s}, err
}

func (p *kitexCaller) serverStream(request string, each func()) error {
	s, err := p.client.EchoServer(background, &echo.Message{Message: &request})
	if err != nil {
		return err
	}
	for {
		if _, err := s.Recv(background); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		each()
	}
}

func (p *kitexCaller) clientStream(n int, message string) error {
	s, err := p.client.EchoClient(background)
	if err != nil {
		return err
	}
	for range n {
		if err := s.Send(background, &echo.Message{Message: &message}); err != nil {
			return err
		}
	}
	_, err = s.CloseAndRecv(background)
	return err
}

func (p *kitexCaller) call(encoding string, message string) error {
	_, err := p.calls[encoding].EchoPingPong(background, &echo.Message{Message: &message})
	return err
}

func (p *kitexCaller) unary(message string) error {
	_, err := p.client.EchoUnary(background, &echo.Message{Message: &message})
	return err
}
