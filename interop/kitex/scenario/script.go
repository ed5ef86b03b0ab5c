package scenario

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bytedance/gopkg/cloud/metainfo"
	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/client/callopt/streamcall"
	"github.com/cloudwego/kitex/pkg/kerrors"
	"github.com/cloudwego/kitex/pkg/streaming"
	"millrace.dev/interop/peer"
	sx "millrace.dev/interop/streamx/kitex_gen/millrace/interop"
	streamx "millrace.dev/interop/streamx/kitex_gen/millrace/interop/interopservice"
	unserved "millrace.dev/interop/streamx/kitex_gen/millrace/unserved/interop/interopservice"
	nowhere "millrace.dev/interop/streamx/kitex_gen/millrace/unserved/interop/nowhereservice"
)

// Script is what a Kitex client of TTHeader streaming does, step by step. The caller of the program judges what each step came to.
type Script struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	// Mode is bidi, client, server or unary, or missing-method or missing-service, which no server has.
	Mode string `json:"mode"`
	// Word and Count are the request of a server stream or a unary call.
	Word  string   `json:"word"`
	Count int32    `json:"count"`
	Steps []string `json:"steps"`
	// Key names the stream to the server; it travels as metainfo.
	Key string `json:"key"`
	// Next is the address of the next server, for the words `down-`.
	Next string `json:"next"`
	StreamXOptions
}

// scripts runs those of the case side by side: all that wait for seconds, and eight of the others.
func scripts(ctx context.Context, e *env) error {
	results := make([]any, len(e.scripts))
	var wg sync.WaitGroup
	slots := make(chan struct{}, 8)
	for i, s := range e.scripts {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if !slices.Contains(s.Steps, "settle") && !slices.Contains(s.Steps, "send*") {
				slots <- struct{}{}
				defer func() { <-slots }()
			}
			results[i] = runScript(ctx, s)
		}()
	}
	wg.Wait()
	e.seen = results
	return nil
}

// play is a script that runs.
type play struct {
	Script
	client streamx.Client
	ctx    context.Context
	cancel context.CancelFunc
	stream
	seen []any
}

// stream is a stream of any mode.
type stream struct {
	streaming.ClientStream
	send func(context.Context, *sx.Request) error
	recv func(context.Context) (*sx.Response, error)
}

func runScript(ctx context.Context, s Script) map[string]any {
	counts := peer.NewCounts()
	p := &play{Script: s, client: streamx.MustNewClient("interop", s.options(s.Address, counts)...), seen: []any{}}
	p.ctx = ctx
	if s.Key != "" {
		p.ctx = metainfo.WithPersistentValue(p.ctx, "KEY", s.Key)
	}
	if s.Next != "" {
		p.ctx = metainfo.WithPersistentValue(p.ctx, "NEXT", s.Next)
	}
	for k, v := range s.Transient {
		p.ctx = metainfo.WithValue(p.ctx, k, v)
	}
	for k, v := range s.Persistent {
		p.ctx = metainfo.WithPersistentValue(p.ctx, k, v)
	}
	if s.Millis != 0 {
		p.ctx, p.cancel = context.WithTimeout(p.ctx, time.Duration(s.Millis)*time.Millisecond)
	} else {
		p.ctx, p.cancel = context.WithCancel(p.ctx)
	}
	defer p.cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if s.Mode == "unary" {
			r, err := p.client.Unary(p.ctx, p.asked())
			p.saw("unary", valueOf(r), err)
		} else if !p.open() {
			return
		}
		for _, step := range s.Steps {
			p.step(step)
		}
	}()
	select {
	case <-done:
	case <-time.After(15 * time.Second):
		return map[string]any{"name": s.Name, "seen": []any{map[string]any{"op": "script", "error": "it took too long"}}}
	}
	// a tracer may hear of the end a little later than the caller; of a stream that is left open never
	for range 20 {
		if c := counts.Copy(); c.Ends >= c.Starts {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return map[string]any{"name": s.Name, "seen": p.seen, "counts": counts.Copy()}
}

func (p *play) asked() *sx.Request {
	r := &sx.Request{Message: &p.Word}
	if p.Count != 0 {
		r.Count = &p.Count
	}
	return r
}

func (p *play) open() bool {
	var call []streamcall.Option
	if p.Recv.Call {
		call = p.Recv.callOptions()
	}
	var err error
	switch p.Mode {
	case "bidi":
		var st streamx.InteropService_BidiClient
		if st, err = p.client.Bidi(p.ctx, call...); err == nil {
			p.stream = stream{st, st.Send, st.Recv}
		}
	case "client":
		var st streamx.InteropService_ClientClient
		if st, err = p.client.Client(p.ctx, call...); err == nil {
			p.stream = stream{st, st.Send, st.CloseAndRecv}
		}
	case "missing-method":
		var st unserved.InteropService_MissingBidiClient
		if st, err = unserved.MustNewClient("interop", p.options(p.Address, peer.NewCounts())...).MissingBidi(p.ctx, call...); err == nil {
			p.stream = stream{st, st.Send, st.Recv}
		}
	case "missing-service":
		var st nowhere.NowhereService_BidiClient
		if st, err = nowhere.MustNewClient("interop", p.options(p.Address, peer.NewCounts())...).Bidi(p.ctx, call...); err == nil {
			p.stream = stream{st, st.Send, st.Recv}
		}
	case "server":
		var st streamx.InteropService_ServerClient
		if st, err = p.client.Server(p.ctx, p.asked(), call...); err == nil {
			p.stream = stream{st, nil, st.Recv}
		}
	}
	if err != nil {
		p.saw("open", nil, err)
	}
	return err == nil
}

// step does one of `op`, `op:word`, `op:word:number`.
func (p *play) step(text string) {
	op, word, _ := strings.Cut(text, ":")
	word, digits, _ := strings.Cut(word, ":")
	number, _ := strconv.Atoi(digits)
	millis, _ := strconv.Atoi(word)
	pause := time.Duration(millis) * time.Millisecond
	req := &sx.Request{Message: &word}
	if number != 0 {
		n := int32(number)
		req.Count = &n
	}
	switch op {
	case "open":
		p.open()
	case "send":
		p.saw(text, nil, p.send(p.ctx, req))
	case "recv":
		r, err := p.recv(p.ctx)
		p.saw(text, valueOf(r), err)
	case "recv*":
		n, err := p.receiveAll()
		p.saw(text, n, err)
	case "send*":
		p.saw(text, nil, p.sendAll(10*time.Millisecond))
	case "flood":
		// without a pause, until it fails; more than any buffer holds
		blob, n := make([]byte, millis), 0
		var err error
		for ; err == nil && n < 1<<20; n++ {
			err = p.send(p.ctx, &sx.Request{Message: ptr("flood"), Blob: blob})
		}
		p.saw(text, n, err)
	case "both":
		sent := make(chan error)
		go func() { sent <- p.sendAll(20 * time.Millisecond) }()
		_, err := p.receiveAll()
		p.saw("both recv", nil, err)
		p.saw("both send", nil, <-sent)
	case "recv-only":
		// of a client stream, which is not closed
		r := new(sx.Response)
		err := p.RecvMsg(p.ctx, r)
		p.saw(text, valueOf(r), err)
	case "close":
		p.saw(text, nil, p.CloseSend(p.ctx))
	case "cancel":
		p.cancel()
	case "cancel-in":
		time.AfterFunc(pause, p.cancel)
	case "sleep":
		time.Sleep(pause)
	case "settle":
		// a cancel that no Recv waits for is found every five seconds
		time.Sleep(5500 * time.Millisecond)
	case "header":
		h, err := bounded(p.Header)
		p.saw(text, h, err)
	case "trailer":
		t, err := bounded(p.Trailer)
		p.saw(text, t, err)
	case "saw", "saw-next":
		// what the server, or that behind it, says of the stream; of its counts with `saw:/counts`
		address, k := p.Address, p.Key+word
		if op == "saw-next" {
			address = p.Next
		}
		r, err := streamx.MustNewClient("interop", client.WithHostPorts(address)).Unary(context.Background(), &sx.Request{Message: ptr("seen"), Key: &k})
		p.saw(text, valueOf(r), err)
	default:
		p.saw(text, nil, errors.New("no such step"))
	}
}

// receiveAll receives until that fails, and counts.
func (p *play) receiveAll() (n int, err error) {
	for ; err == nil; n++ {
		_, err = p.recv(p.ctx)
	}
	return n - 1, err
}

func (p *play) sendAll(pause time.Duration) (err error) {
	for err == nil {
		if err = p.send(p.ctx, &sx.Request{Message: ptr("tick")}); err == nil {
			time.Sleep(pause)
		}
	}
	return err
}

func valueOf(r *sx.Response) any {
	if r == nil {
		return nil
	}
	v := map[string]any{}
	if r.Message != nil {
		v["message"] = *r.Message
	}
	if r.Count != nil {
		v["count"] = *r.Count
	}
	if r.Blob != nil {
		v["bytes"] = len(r.Blob)
	}
	return v
}

// bounded gives up after three seconds, where the wait has no end.
func bounded[T any](f func() (T, error)) (T, error) {
	type result struct {
		v   T
		err error
	}
	got := make(chan result, 1)
	go func() {
		v, err := f()
		got <- result{v, err}
	}()
	select {
	case r := <-got:
		return r.v, r.err
	case <-time.After(3 * time.Second):
		var zero T
		return zero, errors.New("(nothing came)")
	}
}

// saw records what a step came to.
func (p *play) saw(op string, v any, err error) {
	s := map[string]any{"op": op}
	if n, ok := v.(int); ok {
		s["count"] = n
	} else if v != nil && err == nil {
		s["value"] = v
	}
	if err == io.EOF {
		s["end"] = true
	} else if err != nil {
		text, _, _ := strings.Cut(err.Error(), "\nstack=")
		s["error"] = text
		var coded interface{ TypeId() int32 }
		if biz, ok := kerrors.FromBizStatusError(err); ok {
			s["biz"] = map[string]any{"code": biz.BizStatusCode(), "message": biz.BizMessage(), "extra": biz.BizExtra()}
		} else if errors.As(err, &coded) {
			s["code"] = coded.TypeId()
		}
		for kind, parent := range map[string]error{
			"canceled": kerrors.ErrStreamingCanceled, "timeout": kerrors.ErrStreamingTimeout, "protocol": kerrors.ErrStreamingProtocol, "rpc timeout": kerrors.ErrRPCTimeout,
		} {
			if errors.Is(err, parent) {
				s["kind"] = kind
			}
		}
	}
	p.seen = append(p.seen, s)
}
