package peer

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/cloudwego/kitex/pkg/remote/trans/nphttp2/metadata"
	"github.com/cloudwego/kitex/pkg/streaming"
	"millrace.dev/interop/kitex_gen/millrace/interop"
)

// Handlers implements InteropService.
type Handlers struct {
	seen     *seen
	attempts attempts
	// address is where the server listens.
	address string
	drain   func()
}

var (
	headers  = metadata.Pairs("h-one", "1", "h-multi", "a", "h-multi", "b", "h-bin", "\x00\x7f")
	trailers = metadata.Pairs("t-one", "1", "t-multi", "a", "t-multi", "b", "t-bin", "\x01\x02\x03\x04")
)

// metadataOf applies the words that set headers and trailers.
func metadataOf(st streaming.Stream, word string) error {
	switch word {
	case "header-trailer":
		st.SetTrailer(trailers)
		return st.SetHeader(headers)
	case "send-header":
		if err := st.SendHeader(metadata.Pairs("early", "1")); err != nil {
			return err
		}
		time.Sleep(300 * time.Millisecond)
	case "header-names":
		st.SetTrailer(metadata.Pairs("xxx", "1", "xxx", "2", "yyy_zzz", "3", "zzz-yyy", "4", "x1", "5", "x_1", "6", "1_x", "7"))
		return st.SendHeader(metadata.Pairs("hello", "3", "hello", "4", "foo_bar", "5", "foo_bar", "6", "bar-foo", "7", "bar-foo", "8", "x1", "9", "x_1", "10", "1_x", "11"))
	case "upper-header":
		return st.SendHeader(metadata.MD{"HELLO": {"1"}})
	case "upper-trailer":
		st.SetTrailer(metadata.MD{"HELLO": {"1"}})
	}
	return nil
}

// received records how a stream ended that its peer ended with an error.
func (h *Handlers) received(key string, err error) error {
	if err != nil && err != io.EOF {
		h.seen.put(key, err.Error())
	}
	return err
}

func (h *Handlers) Bidi(st interop.InteropService_BidiServer) error {
	if err := early(st.Context()); err != nil {
		return err
	}
	var key string
	var held []*interop.Request
	holding := false
	for {
		req, err := st.Recv()
		if h.received(key, err) == io.EOF {
			for _, r := range held {
				if err := st.Send(&interop.Response{Message: r.Message, Count: r.Count, Blob: r.Blob}); err != nil {
					return err
				}
			}
			h.seen.put(key, "end of stream")
			return nil
		}
		if err != nil {
			return err
		}
		if req.Key != nil {
			key = req.GetKey()
		}
		switch req.GetMessage() {
		case "return-early":
			return nil
		case "hold":
			holding = true
		case "recv-timeout":
			var got error
			err := streaming.CallWithTimeout(50*time.Millisecond, func() { st.Close() }, func() error {
				_, got = st.Recv()
				return got
			})
			h.seen.put(key, err.Error())
			return err
		}
		if holding {
			held = append(held, req)
			continue
		}
		if err := metadataOf(st, req.GetMessage()); err != nil {
			return err
		}
		resp, err := h.answer(st.Context(), req)
		if err != nil {
			return err
		}
		if err := st.Send(resp); err != nil {
			return h.received(key, err)
		}
	}
}

func (h *Handlers) Client(st interop.InteropService_ClientServer) error {
	if err := early(st.Context()); err != nil {
		return err
	}
	var key string
	var last []byte
	n := int32(0)
	for {
		req, err := st.Recv()
		if h.received(key, err) == io.EOF {
			return st.SendAndClose(&interop.Response{Message: Ptr("total"), Count: &n, Blob: last})
		}
		if err != nil {
			return err
		}
		n++
		last = req.Blob
		if req.Key != nil {
			key = req.GetKey()
		}
		switch req.GetMessage() {
		case "return-nothing":
			return nil
		case "return-early":
			return st.SendAndClose(&interop.Response{Message: Ptr("early"), Count: &n})
		case "message-then-error":
			if err := st.SendAndClose(&interop.Response{Message: Ptr("early")}); err != nil {
				return err
			}
			return errors.New("boom")
		}
		if err := metadataOf(st, req.GetMessage()); err != nil {
			return err
		}
		if _, err := h.answer(st.Context(), req); err != nil {
			return err
		}
	}
}

func (h *Handlers) Server(req *interop.Request, st interop.InteropService_ServerServer) error {
	if err := early(st.Context()); err != nil {
		return err
	}
	switch req.GetMessage() {
	case "two-then-error", "two-then-biz":
		for _, m := range []string{"a", "b"} {
			if err := st.Send(&interop.Response{Message: &m}); err != nil {
				return err
			}
		}
		err, _ := outcome(map[string]string{"two-then-error": "plain-error", "two-then-biz": "biz-extra"}[req.GetMessage()])
		return err
	case "forever":
		for i := int32(0); ; i++ {
			if err := st.Send(&interop.Response{Message: Ptr("tick"), Count: &i}); err != nil {
				return h.received(req.GetKey(), err)
			}
			select {
			case <-st.Context().Done():
				h.received(req.GetKey(), st.Context().Err())
				return ended(st.Context())
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	if err := metadataOf(st, req.GetMessage()); err != nil {
		return err
	}
	resp, err := h.answer(st.Context(), req)
	if err != nil {
		return err
	}
	if req.GetMessage() == "big" {
		return st.Send(resp)
	}
	for i := int32(0); i < req.GetCount(); i++ {
		resp.Count = &i
		if err := st.Send(resp); err != nil {
			return h.received(req.GetKey(), err)
		}
	}
	return nil
}

func (h *Handlers) Unary(ctx context.Context, req *interop.Request) (*interop.Response, error) {
	if err := early(ctx); err != nil {
		return nil, err
	}
	return h.answer(ctx, req)
}

func (h *Handlers) Types(st interop.InteropService_TypesServer) error {
	for {
		v, err := st.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := st.Send(v); err != nil {
			return err
		}
	}
}

func (h *Handlers) UnaryTypes(ctx context.Context, v *interop.Everything) (*interop.Everything, error) {
	return v, nil
}

func (h *Handlers) Echo(ctx context.Context, req *interop.Request) (*interop.Response, error) {
	return h.answer(ctx, req)
}

func (h *Handlers) Join(ctx context.Context, left, right string) (string, error) {
	return left + "-" + right, nil
}

func (h *Handlers) Check(ctx context.Context, req *interop.Request) error {
	_, err := h.answer(ctx, req)
	return err
}

func (h *Handlers) Ping(ctx context.Context) error { return nil }

func (h *Handlers) Notify(ctx context.Context, text string) error { return nil }
