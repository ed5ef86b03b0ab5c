// Package peer is the Kitex server of the interoperability suite. The word in Request.message chooses what a handler does, so
// one set of handlers produces every outcome; a word that is none of these is echoed. src/handlers.ts answers the same words.
package peer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/bytedance/gopkg/cloud/metainfo"
	"github.com/cloudwego/kitex/pkg/kerrors"
	"github.com/cloudwego/kitex/pkg/logid"
	"github.com/cloudwego/kitex/pkg/remote"
	"github.com/cloudwego/kitex/pkg/remote/trans/nphttp2/codes"
	"github.com/cloudwego/kitex/pkg/remote/trans/nphttp2/metadata"
	"github.com/cloudwego/kitex/pkg/remote/trans/nphttp2/status"
	"github.com/cloudwego/kitex/pkg/retry"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
	"google.golang.org/protobuf/types/known/wrapperspb"
	"millrace.dev/interop/kitex_gen/millrace/interop"
)

// Ptr is &v.
func Ptr[T any](v T) *T { return &v }

// outcome turns a word into the error a handler returns; ok is false when the word is not an outcome.
func outcome(word string) (err error, ok bool) {
	switch word {
	case "plain-error":
		return errors.New("boom"), true
	case "unicode-error":
		return errors.New("错误 100%\n"), true
	case "trans-error":
		return remote.NewTransErrorWithMsg(1000, "retry"), true
	case "status":
		return status.Err(codes.PermissionDenied, "no entry"), true
	case "status-big":
		return status.Err(codes.Code(12345), "custom"), true
	case "biz":
		return kerrors.NewBizStatusError(404, "not found"), true
	case "biz-extra":
		return kerrors.NewBizStatusErrorWithExtra(404, "not found", map[string]string{"k": "v"}), true
	case "biz-html":
		return kerrors.NewBizStatusErrorWithExtra(-7, "错误 <a&b> 100%", map[string]string{"k": "<a&b> 中\u2028"}), true
	case "biz-zero":
		return kerrors.NewBizStatusError(0, "zero"), true
	case "biz-grpc":
		return kerrors.NewGRPCBizStatusErrorWithExtra(100, "grpc biz", map[string]string{"k": "v"}), true
	case "biz-details":
		e := kerrors.NewGRPCBizStatusErrorWithExtra(101, "biz with details", map[string]string{"k": "v"})
		e.(*kerrors.GRPCBizStatusError).SetGRPCStatus(detailed(codes.NotFound, "status with details"))
		return e, true
	case "status-details":
		return detailed(codes.NotFound, "status with details").Err(), true
	case "panic":
		panic("kaboom")
	case "exit":
		os.Exit(7)
	}
	return nil, false
}

// detailed is a status with one detail, a google.protobuf.StringValue.
func detailed(code codes.Code, message string) *status.Status {
	st, err := status.New(code, message).WithDetails(wrapperspb.String("a detail"))
	if err != nil {
		panic(err)
	}
	return st
}

// early does what the transient metainfo OUTCOME asks for, before a handler receives anything.
func early(ctx context.Context) error {
	word, _ := metainfo.GetValue(ctx, "OUTCOME")
	if word == "sleep" {
		time.Sleep(300 * time.Millisecond)
		return errors.New("slept")
	}
	err, _ := outcome(word)
	return err
}

// seen remembers under the key of a request how its stream ended, for a client that cannot see it by itself.
type seen struct {
	sync.Mutex
	texts map[string]string
}

func (s *seen) put(key, text string) {
	if key == "" {
		return
	}
	s.Lock()
	defer s.Unlock()
	s.texts[key] = text
}

// first puts the text of a key that has none yet.
func (s *seen) first(key, text string) {
	s.Lock()
	_, ok := s.texts[key]
	s.Unlock()
	if !ok {
		s.put(key, text)
	}
}

// take waits up to two seconds for a text.
func (s *seen) take(key string) *string {
	for range 200 {
		s.Lock()
		text, ok := s.texts[key]
		s.Unlock()
		if ok {
			return &text
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}

// attempts counts the calls of a key.
type attempts struct {
	sync.Mutex
	counts map[string]int32
}

// next is the number of a call, from 1 on.
func (a *attempts) next(key string) int32 {
	a.Lock()
	defer a.Unlock()
	if a.counts == nil {
		a.counts = map[string]int32{}
	}
	a.counts[key]++
	return a.counts[key]
}

// metainfoText lists the metainfo a handler sees, sorted.
func metainfoText(ctx context.Context) string {
	var out []string
	for k, v := range metainfo.GetAllValues(ctx) {
		out = append(out, "transient "+k+"="+v)
	}
	for k, v := range metainfo.GetAllPersistentValues(ctx) {
		out = append(out, "persistent "+k+"="+v)
	}
	sort.Strings(out)
	return strings.Join(out, "; ")
}

// ended is the error of a handler whose context ended. The bare context error would go out as code 13.
func ended(ctx context.Context) error {
	if ctx.Err() == context.DeadlineExceeded {
		return status.Err(codes.DeadlineExceeded, ctx.Err().Error())
	}
	return ctx.Err()
}

// answer is the response to one request in every mode.
func (h *Handlers) answer(ctx context.Context, req *interop.Request) (*interop.Response, error) {
	text := func(s string) (*interop.Response, error) { return &interop.Response{Message: &s}, nil }
	switch req.GetMessage() {
	case "refused":
		return nil, &interop.Refused{Code: 42, Why: "bad"}
	case "sleep":
		time.Sleep(time.Duration(req.GetCount()) * time.Millisecond)
	case "big":
		return &interop.Response{Message: req.Message, Blob: bytes.Repeat([]byte{0xab}, int(req.GetCount()))}, nil
	case "metainfo":
		return text(metainfoText(ctx))
	case "metadata":
		md, _ := metadata.FromIncomingContext(ctx)
		return text(strings.Join(md.Get(req.GetKey()), ","))
	case "deadline":
		at, ok := ctx.Deadline()
		if !ok {
			return text("none")
		}
		return &interop.Response{Message: Ptr("left"), Count: Ptr(int32(time.Until(at).Milliseconds()))}, nil
	case "chain":
		return chain(ctx, req)
	case "spans":
		list, err := json.Marshal(SpansOf(req.GetKey()))
		if err != nil {
			return nil, err
		}
		return text(string(list))
	case "series":
		list, err := json.Marshal(Recorded())
		if err != nil {
			return nil, err
		}
		return text(string(list))
	case "metrics":
		list, err := Metrics()
		if err != nil {
			return nil, err
		}
		return text(list)
	case "caller":
		return text(callerText(ctx))
	case "log-id":
		return text(logid.GetStreamLogID(ctx))
	case "where":
		return text(h.address)
	case "sleep-first":
		n, retried := h.attempts.next(req.GetKey()), retry.IsRemoteRetryRequest(ctx)
		if n <= req.GetCount() {
			time.Sleep(400 * time.Millisecond)
		}
		return text(fmt.Sprintf("attempt %d, a retry: %t", n, retried))
	case "fail-first":
		n, retried := h.attempts.next(req.GetKey()), retry.IsRemoteRetryRequest(ctx)
		if n <= req.GetCount() {
			return nil, remote.NewTransErrorWithMsg(1000, "retry")
		}
		return text(fmt.Sprintf("attempt %d, a retry: %t", n, retried))
	case "peer":
		return text(rpcinfo.GetRPCInfo(ctx).From().Address().String())
	case "wait":
		select {
		case <-ctx.Done():
			h.seen.put(req.GetKey(), fmt.Sprint(ctx.Err()))
			return nil, ended(ctx)
		case <-time.After(20 * time.Second):
			return nil, errors.New("nobody ended the wait")
		}
	case "seen":
		return &interop.Response{Message: h.seen.take(req.GetKey())}, nil
	case "drain":
		h.drain()
	}
	if err, ok := outcome(req.GetMessage()); ok {
		return nil, err
	}
	return &interop.Response{Message: req.Message, Count: req.Count, Blob: req.Blob}, nil
}
