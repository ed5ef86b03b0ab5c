// Command server is the server of the first Kitex with Thrift streaming. It prints `listening on HOST:PORT` when it is ready.
// The word `plain-error` fails, every other one is echoed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"time"

	"github.com/cloudwego/kitex/pkg/klog"
	"github.com/cloudwego/kitex/server"
	"millrace.dev/interop/old/kitex_gen/interop"
	"millrace.dev/interop/old/kitex_gen/interop/interopservice"
)

type handlers struct{}

func answer(req *interop.Request) (*interop.Response, error) {
	if req.GetMessage() == "plain-error" {
		return nil, errors.New("boom")
	}
	return &interop.Response{Message: req.Message, Count: req.Count, Blob: req.Blob}, nil
}

func (*handlers) Bidi(st interop.InteropService_BidiServer) error {
	for {
		req, err := st.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		resp, err := answer(req)
		if err != nil {
			return err
		}
		if err := st.Send(resp); err != nil {
			return err
		}
	}
}

func (*handlers) Client(st interop.InteropService_ClientServer) error {
	total := "total"
	for n := int32(0); ; n++ {
		req, err := st.Recv()
		if err == io.EOF {
			return st.SendAndClose(&interop.Response{Message: &total, Count: &n})
		}
		if err != nil {
			return err
		}
		if _, err := answer(req); err != nil {
			return err
		}
	}
}

func (*handlers) Server(req *interop.Request, st interop.InteropService_ServerServer) error {
	resp, err := answer(req)
	if err != nil {
		return err
	}
	for i := int32(0); i < req.GetCount(); i++ {
		resp.Count = &i
		if err := st.Send(resp); err != nil {
			return err
		}
	}
	return nil
}

func (*handlers) Unary(ctx context.Context, req *interop.Request) (*interop.Response, error) {
	return answer(req)
}

func main() {
	port := flag.Int("port", 0, "TCP port on 127.0.0.1, 0 for any")
	flag.Parse()
	klog.SetLevel(klog.LevelFatal)
	ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", ln.Addr())
	s := interopservice.NewServer(&handlers{}, server.WithListener(ln), server.WithExitWaitTime(100*time.Millisecond))
	if err := s.Run(); err != nil {
		log.Fatal(err)
	}
}
