package main

import (
	"context"
	"fmt"
	"io"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// thriftOverhead is what Thrift Binary adds to one string member. grpc-go gets messages of raw bytes, so this many more bytes than the text
// make them as long as the messages of the Thrift peers.
const thriftOverhead = 8

type rawMessage []byte

// rawCodec passes bytes through: grpc-go without the cost of a codec.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }
func (rawCodec) Marshal(v any) ([]byte, error) {
	return *v.(*rawMessage), nil
}
func (rawCodec) Unmarshal(data []byte, v any) error {
	m := v.(*rawMessage)
	*m = append((*m)[:0], data...)
	return nil
}

const maxMessage = 64 << 20

func serveGrpcGo(l net.Listener) {
	s := grpc.NewServer(grpc.ForceServerCodec(rawCodec{}), grpc.MaxRecvMsgSize(maxMessage))
	s.RegisterService(&grpcService, nil)
	must(s.Serve(l))
}

var grpcService = grpc.ServiceDesc{
	ServiceName: "echo.TestService",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "EchoUnary", Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		m := new(rawMessage)
		return m, decode(m)
	}}},
	Streams: []grpc.StreamDesc{
		{StreamName: "Echo", ServerStreams: true, ClientStreams: true, Handler: func(_ any, s grpc.ServerStream) error {
			m := new(rawMessage)
			for {
				if err := s.RecvMsg(m); err == io.EOF {
					return nil
				} else if err != nil {
					return err
				}
				if err := s.SendMsg(m); err != nil {
					return err
				}
			}
		}},
		{StreamName: "EchoServer", ServerStreams: true, Handler: func(_ any, s grpc.ServerStream) error {
			request := new(rawMessage)
			if err := s.RecvMsg(request); err != nil {
				return err
			}
			var n, size int
			if _, err := fmt.Sscanf(string(*request), "%d:%d", &n, &size); err != nil {
				return err
			}
			m := make(rawMessage, size+thriftOverhead)
			for range n {
				if err := s.SendMsg(&m); err != nil {
					return err
				}
			}
			return nil
		}},
		{StreamName: "EchoClient", ClientStreams: true, Handler: func(_ any, s grpc.ServerStream) error {
			m := new(rawMessage)
			for {
				if err := s.RecvMsg(m); err == io.EOF {
					return s.SendMsg(&rawMessage{})
				} else if err != nil {
					return err
				}
			}
		}},
	},
}

type grpcGo struct{ conn *grpc.ClientConn }

func newGrpcGo(address string) caller {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(rawCodec{}), grpc.MaxCallRecvMsgSize(maxMessage)))
	must(err)
	return &grpcGo{conn}
}

func raw(message string) *rawMessage {
	m := make(rawMessage, len(message)+thriftOverhead)
	copy(m, message)
	return &m
}

type grpcGoBidi struct {
	stream   grpc.ClientStream
	received rawMessage
}

func (s *grpcGoBidi) send(message string) error { return s.stream.SendMsg(raw(message)) }
func (s *grpcGoBidi) recv() error               { return s.stream.RecvMsg(&s.received) }
func (s *grpcGoBidi) closeSend() error          { return s.stream.CloseSend() }

func (p *grpcGo) bidi() (bidi, error) {
	s, err := p.conn.NewStream(context.Background(), &grpcService.Streams[0], "/echo.TestService/Echo")
	return &grpcGoBidi{stream: s}, err
}

func (p *grpcGo) serverStream(request string, each func()) error {
	s, err := p.conn.NewStream(context.Background(), &grpcService.Streams[1], "/echo.TestService/EchoServer")
	if err != nil {
		return err
	}
	r := rawMessage(request)
	if err := s.SendMsg(&r); err != nil {
		return err
	}
	if err := s.CloseSend(); err != nil {
		return err
	}
	m := new(rawMessage)
	for {
		if err := s.RecvMsg(m); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		each()
	}
}

func (p *grpcGo) clientStream(n int, message string) error {
	s, err := p.conn.NewStream(context.Background(), &grpcService.Streams[2], "/echo.TestService/EchoClient")
	if err != nil {
		return err
	}
	m := raw(message)
	for range n {
		if err := s.SendMsg(m); err != nil {
			return err
		}
	}
	if err := s.CloseSend(); err != nil {
		return err
	}
	return s.RecvMsg(new(rawMessage))
}

func (p *grpcGo) unary(message string) error {
	return p.conn.Invoke(context.Background(), "/echo.TestService/EchoUnary", raw(message), new(rawMessage))
}
