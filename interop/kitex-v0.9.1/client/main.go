// Command client runs one scenario of the first Kitex with Thrift streaming and prints one line of JSON.
//
//	client --address HOST:PORT --scenario bidi|client|server|unary|error [--n N]
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/cloudwego/kitex/client/streamclient"
	"github.com/cloudwego/kitex/pkg/klog"
	"github.com/cloudwego/kitex/pkg/remote/trans/nphttp2/status"
	"millrace.dev/interop/old/kitex_gen/interop"
	"millrace.dev/interop/old/kitex_gen/interop/interopservice"
)

type result struct {
	Scenario string `json:"scenario"`
	OK       bool   `json:"ok"`
	Detail   string `json:"detail"`
	Seen     []any  `json:"seen"`
	Millis   int64  `json:"millis"`
}

func counted(word string, n int) *interop.Request {
	c := int32(n)
	return &interop.Request{Message: &word, Count: &c}
}

func same(r *interop.Response, message string, count int) error {
	if r.GetMessage() != message || int(r.GetCount()) != count {
		return fmt.Errorf("%q %d, expected %q %d", r.GetMessage(), r.GetCount(), message, count)
	}
	return nil
}

func endOfStream(err error) error {
	if err != io.EOF {
		return fmt.Errorf("expected the end of the stream, got %v", err)
	}
	return nil
}

func run(name string, c interopservice.StreamClient, n int) error {
	ctx := context.Background()
	switch name {
	case "bidi":
		st, err := c.Bidi(ctx)
		if err != nil {
			return err
		}
		for i := 0; i < n; i++ {
			if err := st.Send(counted("bidi", i)); err != nil {
				return err
			}
			r, err := st.Recv()
			if err != nil {
				return err
			}
			if err := same(r, "bidi", i); err != nil {
				return err
			}
		}
		if err := st.Close(); err != nil {
			return err
		}
		_, err = st.Recv()
		return endOfStream(err)
	case "client":
		st, err := c.Client(ctx)
		if err != nil {
			return err
		}
		for i := 0; i < n; i++ {
			if err := st.Send(counted("client", i)); err != nil {
				return err
			}
		}
		r, err := st.CloseAndRecv()
		if err != nil {
			return err
		}
		return same(r, "total", n)
	case "server":
		st, err := c.Server(ctx, counted("server", n))
		if err != nil {
			return err
		}
		for i := 0; i < n; i++ {
			r, err := st.Recv()
			if err != nil {
				return err
			}
			if err := same(r, "server", i); err != nil {
				return err
			}
		}
		_, err = st.Recv()
		return endOfStream(err)
	case "unary":
		r, err := c.Unary(ctx, counted("unary", n))
		if err != nil {
			return err
		}
		return same(r, "unary", n)
	case "error":
		st, err := c.Bidi(ctx)
		if err != nil {
			return err
		}
		if err := st.Send(counted("plain-error", 0)); err != nil {
			return err
		}
		_, err = st.Recv()
		got, ok := status.FromError(err)
		if !ok || got.Code() != 13 || got.Message() != "boom [biz error]" {
			return fmt.Errorf("expected code 13 boom [biz error], got %v", err)
		}
		return nil
	}
	return fmt.Errorf("no scenario %q", name)
}

func main() {
	address := flag.String("address", "", "HOST:PORT of the server")
	name := flag.String("scenario", "", "name of a scenario")
	n := flag.Int("n", 3, "how many messages")
	flag.Parse()
	klog.SetLevel(klog.LevelFatal)
	began := time.Now()
	c, err := interopservice.NewStreamClient("interop", streamclient.WithHostPorts(*address))
	if err == nil {
		ended := make(chan error, 1)
		go func() { ended <- run(*name, c, *n) }()
		select {
		case err = <-ended:
		case <-time.After(20 * time.Second):
			err = fmt.Errorf("the scenario took too long")
		}
	}
	r := result{Scenario: *name, OK: err == nil, Seen: []any{}, Millis: time.Since(began).Milliseconds()}
	if err != nil {
		r.Detail = err.Error()
	}
	json.NewEncoder(os.Stdout).Encode(r)
	if err != nil {
		os.Exit(1)
	}
}
