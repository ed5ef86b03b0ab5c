package scenario

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/client/callopt"
	"github.com/cloudwego/kitex/pkg/remote"
	"millrace.dev/interop/kitex_gen/millrace/interop"
)

// wrongChecksum is a key of a checksum over something else.
type wrongChecksum struct{}

func (wrongChecksum) WriteMeta(ctx context.Context, msg remote.Message) (context.Context, error) {
	msg.TransInfo().PutTransStrInfo(map[string]string{"crc32c": "00000001"})
	return ctx, nil
}

func (wrongChecksum) ReadMeta(ctx context.Context, msg remote.Message) (context.Context, error) {
	return ctx, nil
}

// transOf expects an exception of the server; its text is one of those.
func transOf(err error, code int32, texts ...string) error {
	var trans *remote.TransError
	if !errors.As(err, &trans) {
		return fmt.Errorf("not an exception of the server: %v", err)
	}
	for _, text := range texts {
		if trans.TypeID() == code && err.Error() == "remote or network error[remote]: "+text {
			return nil
		}
	}
	return fmt.Errorf("exception %d %q, expected %d %q", trans.TypeID(), err.Error(), code, texts)
}

func refusedOf(err error) error {
	var refused *interop.Refused
	if !errors.As(err, &refused) {
		return fmt.Errorf("not the declared exception: %v", err)
	}
	return all(same("code", refused.Code, 42), same("why", refused.Why, "bad"))
}

// callErrors are checks of what a client sees; keyed says whether the keys of a TTHeader go along.
func callErrors() map[string]func(e *env, r *interop.Response, err error) error {
	type check = func(e *env, r *interop.Response, err error) error
	exception := func(code int32, texts ...string) check {
		return func(e *env, r *interop.Response, err error) error {
			return all(transOf(err, code, texts...), same("dials", e.dials.Load(), 2))
		}
	}
	// without the keys it is a success without a result
	biz := func(code int32, message string, extra map[string]string) check {
		return func(e *env, r *interop.Response, err error) error {
			if !e.calling.keyed() {
				return all(err, expect(r == nil, "a result: %v", r))
			}
			return all(bizOf(err, code, message, extra), same("dials", e.dials.Load(), 1))
		}
	}
	refused := func(e *env, r *interop.Response, err error) error {
		return all(refusedOf(err), same("dials", e.dials.Load(), 1))
	}
	return map[string]check{
		"refused":         refused,
		"plain-error":     exception(6, "biz error: boom"),
		"unicode-error":   exception(6, "biz error: 错误 100%\n"),
		"trans-error":     exception(1000, "retry [biz error]"),
		"panic":           exception(6, "panic: [happened in biz handler, method=CallsService.Call, please check the panic at the server side] kaboom"),
		"biz":             biz(404, "not found", nil),
		"biz-extra":       biz(404, "not found", map[string]string{"k": "v"}),
		"biz-html":        biz(-7, "错误 <a&b> 100%", map[string]string{"k": "<a&b> 中\u2028"}),
		"biz-empty-extra": biz(5, "", nil),
		"biz-zero": func(e *env, r *interop.Response, err error) error {
			return all(err, expect(r == nil, "a result: %v", r))
		},
	}
}

// callError asks twice, so that dials show whether the connection went on.
func callError(ctx context.Context, e *env, word string, check func(e *env, r *interop.Response, err error) error) error {
	if e.calling.Connection != "" && e.calling.Connection != "long" {
		return errors.New("this scenario counts long connections")
	}
	c := e.calls()
	c.Call(ctx, request(word))
	r, err := c.Call(ctx, request(word))
	e.saw("Call", r, err)
	if err := check(e, r, err); err != nil {
		return err
	}
	attempt := c.Attempt(ctx, request(word))
	if err == nil {
		return attempt
	}
	return same("the error of a void method", strings.ReplaceAll(fmt.Sprint(attempt), ".Attempt", ".Call"), err.Error())
}

func callTimeout(ctx context.Context, e *env) error {
	c := e.calls()
	_, err := c.Call(ctx, counted("sleep", 300), callopt.WithRPCTimeout(50*time.Millisecond))
	e.saw("Call", nil, err)
	text := "rpc timeout: timeout=50ms, to=interop, method=Call, location=kitex.rpcTimeoutMW, remote=" + e.address
	// the late answer is nobody's: the next call has its own
	r, next := c.Call(ctx, request("next"))
	// on a busy machine Kitex takes its own timer for the caller's, and says so behind the text
	return all(expect(err != nil && strings.HasPrefix(err.Error(), text), "not a timeout: %v", err), next, echoed(r, "next", nil))
}

// callTimeoutSeen asks the server what it knows of the timeout.
func callTimeoutSeen(ctx context.Context, e *env) error {
	r, err := e.calls().Call(ctx, request("timeout"))
	if err := e.saw("without", r.GetCount(), err); err != nil {
		return err
	}
	timed, err := e.calls(client.WithRPCTimeout(5*time.Second)).Call(ctx, request("timeout"))
	if err := e.saw("with", timed.GetCount(), err); err != nil {
		return err
	}
	if !e.calling.keyed() {
		return all(same("without", r.GetCount(), 0), same("with", timed.GetCount(), 0))
	}
	return all(same("without", r.GetCount(), 0), expect(timed.GetCount() > 3000 && timed.GetCount() <= 5000, "%d ms of 5 s", timed.GetCount()))
}

// callCancel gives up a call: Kitex lets the exchange go on behind the caller's back.
func callCancel(ctx context.Context, e *env) error {
	c := e.calls(client.WithRPCTimeout(5 * time.Second))
	cancelled, cancel := context.WithCancel(ctx)
	defer cancel()
	time.AfterFunc(50*time.Millisecond, cancel)
	k := key()
	_, err := c.Call(cancelled, &interop.Request{Message: ptr("sleep"), Count: ptr(int32(200)), Key: &k})
	e.saw("Call", nil, err)
	r, next := c.Call(ctx, request("next"))
	return all(expect(err != nil && strings.HasSuffix(err.Error(), ": context canceled by business"), "not a cancel: %v", err),
		next, echoed(r, "next", nil), heard(ctx, c, k, "slept"))
}

// callStop stops the server while calls run: those that had begun are answered, and what fails is told apart.
func callStop(ctx context.Context, e *env) error {
	c := e.calls(client.WithRPCTimeout(5 * time.Second))
	if err := e.many(64, func(int) error { _, err := c.Call(ctx, request("warm")); return err }); err != nil {
		return err
	}
	slow := make(chan error, 32)
	for i := range cap(slow) {
		go func() {
			r, err := c.Call(ctx, counted("sleep", 150+i))
			slow <- all(err, echoed(r, "sleep", nil))
		}()
	}
	time.Sleep(50 * time.Millisecond)
	_, err := c.Call(ctx, request("drain"))
	e.saw("drain", nil, err)
	counts := map[string]int{}
	for range 200 {
		_, err := c.Call(ctx, request("hi"))
		counts[kindOf(err)]++
		if err != nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	lost := 0
	for range cap(slow) {
		if err := <-slow; err != nil {
			counts["running: "+kindOf(err)]++
			lost++
		}
	}
	e.saw("counts", counts, nil)
	return all(err, same("calls that had begun and were not answered", lost, 0))
}

// kindOf is the text of an error without addresses.
func kindOf(err error) string {
	if err == nil {
		return "answered"
	}
	for _, text := range []string{"EOF peer close", "connection refused", "connection reset", "graceful shutdown", "conn closed", "connection closed", "rpc timeout"} {
		if strings.Contains(err.Error(), text) {
			return text
		}
	}
	return err.Error()
}
