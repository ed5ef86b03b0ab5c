package peer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bytedance/gopkg/cloud/metainfo"
	"github.com/cloudwego/kitex/pkg/kerrors"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
	"millrace.dev/interop/kitex_gen/millrace/calls"
	"millrace.dev/interop/kitex_gen/millrace/combined"
	"millrace.dev/interop/kitex_gen/millrace/interop"
	"millrace.dev/interop/kitex_gen/millrace/routes"
)

// Calls implements CallsService: the words of the streams, and those that only a PingPong call has.
type Calls struct{ *Handlers }

// callerText is what a handler knows of its caller: its service, and the method that it served when it called.
func callerText(ctx context.Context) string {
	from := rpcinfo.GetRPCInfo(ctx).From()
	return from.ServiceName() + "/" + from.Method()
}

func (c Calls) Call(ctx context.Context, req *interop.Request) (*interop.Response, error) {
	refused := &interop.Refused{Code: 42, Why: "bad"}
	switch req.GetMessage() {
	case "nil":
		return nil, nil
	case "refused-and-response":
		return &interop.Response{Message: Ptr("both")}, refused
	case "wrapped-refused":
		return nil, fmt.Errorf("wrapped: %w", refused)
	case "biz-wrapped":
		return nil, fmt.Errorf("wrapped: %w", kerrors.NewBizStatusError(404, "not found"))
	case "biz-empty-extra":
		return nil, kerrors.NewBizStatusErrorWithExtra(5, "", map[string]string{})
	case "context-error":
		return nil, context.DeadlineExceeded
	case "backward":
		metainfo.SendBackwardValue(ctx, "from-server", "v2")
	case "timeout":
		return &interop.Response{Count: Ptr(int32(rpcinfo.GetRPCInfo(ctx).Config().RPCTimeout().Milliseconds()))}, nil
	case "sleep":
		defer c.seen.put(req.GetKey(), "slept")
	}
	return c.answer(ctx, req)
}

func (Calls) Every(ctx context.Context, v *interop.Everything) (*interop.Everything, error) {
	return v, nil
}

func (Calls) Choose(ctx context.Context, choice *interop.Choice) (*interop.Choice, error) {
	return choice, nil
}

func (Calls) NeedText(ctx context.Context, strict *calls.Strict) (string, error) {
	return strict.Text, nil
}

func (Calls) Next(ctx context.Context, number int32) (int32, error) { return number + 1, nil }

func (Calls) Not(ctx context.Context, flag bool) (bool, error) { return !flag, nil }

func (Calls) Half(ctx context.Context, number float64) (float64, error) { return number / 2, nil }

func (Calls) Sum(ctx context.Context, numbers []int64) (sum int64, err error) {
	for _, n := range numbers {
		sum += n
	}
	return sum, nil
}

func (Calls) Bytes(ctx context.Context, bytes []byte) ([]byte, error) { return bytes, nil }

func (Calls) Sizes(ctx context.Context, texts []string) (map[string]int64, error) {
	sizes := map[string]int64{}
	for _, text := range texts {
		sizes[text] = int64(len(text))
	}
	return sizes, nil
}

func (Calls) Repeat(ctx context.Context, text string, times int32) (string, error) {
	if times < 0 {
		return "", errors.New("times is negative")
	}
	return strings.Repeat(text, int(times)), nil
}

func (Calls) Nothing(ctx context.Context) error { return nil }

func (c Calls) Attempt(ctx context.Context, req *interop.Request) error {
	_, err := c.Call(ctx, req)
	return err
}

// Tell leaves its text under the key, where the word `seen` finds it.
func (c Calls) Tell(ctx context.Context, text, key string) error {
	c.seen.put(key, text)
	if text == "sleep" {
		time.Sleep(100 * time.Millisecond)
	}
	err, _ := outcome(text)
	return err
}

// First implements the service First of routes.thrift.
type First struct{}

func (First) Shared(ctx context.Context) (string, error)    { return "First.Shared", nil }
func (First) OnlyFirst(ctx context.Context) (string, error) { return "First.OnlyFirst", nil }

// SecondRoute implements the service Second of routes.thrift.
type SecondRoute struct{}

func (SecondRoute) Shared(ctx context.Context) (string, error)     { return "Second.Shared", nil }
func (SecondRoute) OnlySecond(ctx context.Context) (string, error) { return "Second.OnlySecond", nil }

// Combined implements both services of combined.thrift.
type Combined struct{}

func (Combined) Left(ctx context.Context, text string) (string, error)  { return "left " + text, nil }
func (Combined) Right(ctx context.Context, text string) (string, error) { return "right " + text, nil }

var (
	_ calls.CallsService    = Calls{}
	_ routes.First          = First{}
	_ routes.Second         = SecondRoute{}
	_ combined.LeftService  = Combined{}
	_ combined.RightService = Combined{}
)
