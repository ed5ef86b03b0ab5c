package peer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/bytedance/gopkg/cloud/metainfo"
	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/client/callopt/streamcall"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
	"github.com/cloudwego/kitex/pkg/streaming"
	"millrace.dev/interop/kitex_gen/millrace/interop"
	sx "millrace.dev/interop/streamx/kitex_gen/millrace/interop"
	streamx "millrace.dev/interop/streamx/kitex_gen/millrace/interop/interopservice"
)

// StreamX implements InteropService as it is generated with -streamx: the words of the others, and those that are about TTHeader
// streaming. The persistent metainfo KEY names a stream, before it has any message; NEXT is the address of the next server.
type StreamX struct{ *Handlers }

// request and response are the types of the other tree, whose words these are.
func request(r *sx.Request) *interop.Request {
	return &interop.Request{Message: r.Message, Count: r.Count, Blob: r.Blob, Key: r.Key}
}

func response(r *interop.Response) *sx.Response {
	if r == nil {
		return nil
	}
	return &sx.Response{Message: r.Message, Count: r.Count, Blob: r.Blob}
}

// tick is what streams without an end consist of.
func tick(i int) *sx.Response { return &sx.Response{Message: Ptr("tick"), Count: Ptr(int32(i))} }

func keyOf(ctx context.Context) string {
	key, _ := metainfo.GetPersistentValue(ctx, "KEY")
	return key
}

func (x StreamX) say(ctx context.Context, req *sx.Request) (*sx.Response, error) {
	switch req.GetMessage() {
	case "refused":
		return nil, &sx.Refused{Code: 42, Why: "bad"}
	case "hook":
		frame, _ := ctx.Value(headerFrame{}).(map[string]string)
		text, err := json.Marshal(frame)
		return &sx.Response{Message: Ptr(string(text))}, err
	}
	if req.Key == nil && keyOf(ctx) != "" {
		req.Key = Ptr(keyOf(ctx))
	}
	r, err := x.answer(ctx, request(req))
	return response(r), err
}

// metadataX applies the words that set headers and trailers. A peer that has several values for a key sees the last, and one that has
// bytes has them in Base64.
func metadataX(st streaming.ServerStream, word string) error {
	switch word {
	case "header-trailer":
		return errors.Join(
			st.SetHeader(streaming.Header{"h-one": "1", "h-multi": "b", "h-bin": "AH8"}),
			st.SetTrailer(streaming.Trailer{"t-one": "1", "t-multi": "b", "t-bin": "AQIDBA"}),
		)
	case "merged-header":
		return errors.Join(st.SetHeader(streaming.Header{"first": "1", "Second": "1"}), st.SendHeader(streaming.Header{"Second": "2", "third": "三"}))
	case "send-header":
		err := st.SendHeader(streaming.Header{"early": "1"})
		time.Sleep(300 * time.Millisecond)
		return err
	}
	return nil
}

// failed remembers the first operation of a stream that failed.
func (x StreamX) failed(ctx context.Context, op string, err error) error {
	if err != nil && err != io.EOF {
		x.seen.first(keyOf(ctx), op+": "+err.Error())
	}
	return err
}

// over remembers a stream that ended in peace.
func (x StreamX) over(ctx context.Context) { x.seen.first(keyOf(ctx), "end of stream") }

// sendUntil sends, with a pause behind each message, until that fails.
func sendUntil(ctx context.Context, pause time.Duration, send func(context.Context, *sx.Response) error) (err error) {
	for i := 0; err == nil; i++ {
		if err = send(ctx, tick(i)); err == nil {
			time.Sleep(pause)
		}
	}
	return err
}

// stutter sends three messages, is silent for 400 ms, and goes on until that fails.
func stutter(ctx context.Context, send func(context.Context, *sx.Response) error) error {
	for i := range 3 {
		if err := send(ctx, tick(i)); err != nil {
			return err
		}
	}
	time.Sleep(400 * time.Millisecond)
	return sendUntil(ctx, 10*time.Millisecond, send)
}

// both receives and sends side by side, until both fail.
func (x StreamX) both(ctx context.Context, st sx.InteropService_BidiServer) error {
	var wg sync.WaitGroup
	var sent error
	wg.Add(1)
	go func() {
		defer wg.Done()
		sent = sendUntil(ctx, 20*time.Millisecond, st.Send)
	}()
	var received error
	for received == nil {
		_, received = st.Recv(ctx)
	}
	wg.Wait()
	x.seen.first(keyOf(ctx), fmt.Sprintf("recv: %v; send: %v", received, sent))
	return received
}

func (x StreamX) Bidi(ctx context.Context, st sx.InteropService_BidiServer) error {
	if err := early(ctx); err != nil {
		return err
	}
	defer x.over(ctx)
	var held []*sx.Response
	holding, late := false, false
	for {
		req, err := st.Recv(ctx)
		if err == io.EOF && late {
			return x.failed(ctx, "send", stutter(ctx, st.Send))
		}
		if err == io.EOF {
			for _, r := range held {
				if err := st.Send(ctx, r); err != nil {
					return x.failed(ctx, "send", err)
				}
			}
			return nil
		}
		if x.failed(ctx, "recv", err) != nil {
			return err
		}
		switch req.GetMessage() {
		case "return-early":
			return nil
		case "use-after-return":
			go func() {
				time.Sleep(50 * time.Millisecond)
				_, received := st.Recv(ctx)
				x.seen.put(keyOf(ctx)+"/after", fmt.Sprintf("recv: %v; send: %v", received, st.Send(ctx, tick(0))))
			}()
			return nil
		case "both":
			return x.both(ctx, st)
		case "down-wait", "down-leave", "down-metainfo":
			return x.down(ctx, req.GetMessage(), st)
		case "late-answers":
			late = true
		case "hold":
			holding = true
		}
		if late {
			continue
		}
		if holding {
			held = append(held, &sx.Response{Message: req.Message, Count: req.Count, Blob: req.Blob})
			continue
		}
		if err := metadataX(st, req.GetMessage()); err != nil {
			return err
		}
		resp, err := x.say(ctx, req)
		if err != nil {
			return err
		}
		if err := st.Send(ctx, resp); err != nil {
			return x.failed(ctx, "send", err)
		}
	}
}

func (x StreamX) Client(ctx context.Context, st sx.InteropService_ClientServer) error {
	if err := early(ctx); err != nil {
		return err
	}
	defer x.over(ctx)
	var last []byte
	late := false
	for n := int32(0); ; n++ {
		req, err := st.Recv(ctx)
		if err == io.EOF {
			if late {
				time.Sleep(400 * time.Millisecond)
			}
			return x.failed(ctx, "send", st.SendAndClose(ctx, &sx.Response{Message: Ptr("total"), Count: &n, Blob: last}))
		}
		if x.failed(ctx, "recv", err) != nil {
			return err
		}
		last = req.Blob
		switch req.GetMessage() {
		case "return-nothing":
			return nil
		case "return-early":
			return st.SendAndClose(ctx, &sx.Response{Message: Ptr("early"), Count: Ptr(n + 1)})
		case "message-then-error":
			if err := st.SendAndClose(ctx, &sx.Response{Message: Ptr("early")}); err != nil {
				return err
			}
			return errors.New("boom")
		case "late-answers":
			late = true
			continue
		case "stall":
			time.Sleep(time.Duration(req.GetCount()) * time.Millisecond)
			continue
		}
		if err := metadataX(st, req.GetMessage()); err != nil {
			return err
		}
		if _, err := x.say(ctx, req); err != nil {
			return err
		}
	}
}

func (x StreamX) Server(ctx context.Context, req *sx.Request, st sx.InteropService_ServerServer) error {
	if err := early(ctx); err != nil {
		return err
	}
	defer x.over(ctx)
	switch req.GetMessage() {
	case "two-then-error", "two-then-biz":
		for _, m := range []string{"a", "b"} {
			if err := st.Send(ctx, &sx.Response{Message: &m}); err != nil {
				return err
			}
		}
		err, _ := outcome(map[string]string{"two-then-error": "plain-error", "two-then-biz": "biz-extra"}[req.GetMessage()])
		return err
	case "forever":
		return x.failed(ctx, "send", sendUntil(ctx, 10*time.Millisecond, st.Send))
	case "stutter":
		return x.failed(ctx, "send", stutter(ctx, st.Send))
	case "slow-start":
		time.Sleep(time.Duration(req.GetCount()) * time.Millisecond)
		return x.failed(ctx, "send", sendUntil(ctx, 10*time.Millisecond, st.Send))
	case "flood":
		r := &sx.Response{Message: Ptr("tick"), Blob: make([]byte, req.GetCount())}
		for {
			if err := st.Send(ctx, r); err != nil {
				return x.failed(ctx, "send", err)
			}
		}
	}
	if err := metadataX(st, req.GetMessage()); err != nil {
		return err
	}
	resp, err := x.say(ctx, req)
	if err != nil {
		return err
	}
	if req.GetMessage() == "big" {
		return st.Send(ctx, resp)
	}
	for i := range req.GetCount() {
		resp.Count = &i
		if err := st.Send(ctx, resp); err != nil {
			return x.failed(ctx, "send", err)
		}
	}
	return nil
}

func (x StreamX) Types(ctx context.Context, st sx.InteropService_TypesServer) error {
	for {
		v, err := st.Recv(ctx)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := st.Send(ctx, v); err != nil {
			return err
		}
	}
}

func (x StreamX) Unary(ctx context.Context, req *sx.Request) (*sx.Response, error) {
	if err := early(ctx); err != nil {
		return nil, err
	}
	return x.say(ctx, req)
}

func (x StreamX) UnaryTypes(ctx context.Context, v *sx.Everything) (*sx.Everything, error) {
	return v, nil
}

func (x StreamX) Echo(ctx context.Context, req *sx.Request) (*sx.Response, error) {
	return x.say(ctx, req)
}

func (x StreamX) Check(ctx context.Context, req *sx.Request) error {
	_, err := x.say(ctx, req)
	return err
}

// nextX is the client for the calls that handlers make, with the context that they have.
var nextX = sync.OnceValue(func() streamx.Client {
	return streamx.MustNewClient("interop", client.WithHostPorts("127.0.0.1:1"),
		client.WithClientBasicInfo(&rpcinfo.EndpointBasicInfo{ServiceName: "interop-go"}))
})

// down opens a stream to the next server. With `down-wait` it waits for a message that does not come; with `down-leave` it returns while
// the stream is open and someone waits there; with `down-metainfo` it answers with the metainfo that comes here, and there.
func (x StreamX) down(ctx context.Context, word string, up sx.InteropService_BidiServer) error {
	address, _ := metainfo.GetPersistentValue(ctx, "NEXT")
	st, err := nextX().Bidi(ctx, streamcall.WithHostPort(address))
	if err != nil {
		return err
	}
	if err := st.Send(ctx, &sx.Request{Message: Ptr("metainfo")}); err != nil {
		return err
	}
	there, err := st.Recv(ctx)
	if err != nil {
		return err
	}
	if word == "down-metainfo" {
		return up.Send(ctx, &sx.Response{Message: Ptr(metainfoText(ctx) + " | " + there.GetMessage())})
	}
	if err := st.Send(ctx, &sx.Request{Message: Ptr("wait")}); err != nil {
		return err
	}
	wait := func() error {
		_, err := st.Recv(ctx)
		return x.failed(ctx, "down", err)
	}
	if word == "down-wait" {
		return wait()
	}
	go wait()
	time.Sleep(20 * time.Millisecond)
	return nil
}
