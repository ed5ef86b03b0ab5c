package scenario

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cloudwego/kitex/client/streamclient"
	"github.com/cloudwego/kitex/pkg/endpoint"
	"github.com/cloudwego/kitex/pkg/kerrors"
	"github.com/cloudwego/kitex/pkg/logid"
	"github.com/cloudwego/kitex/pkg/remote/trans/nphttp2/status"
	"github.com/cloudwego/kitex/pkg/streaming"
	"github.com/cloudwego/kitex/pkg/transmeta"
)

func around(m map[string]function) {
	m["log-id"] = logID
	m["context-map"] = contextMap
	m["caller-name"] = callerName
	for _, mode := range []string{"bidi", "client", "server", "unary"} {
		m["details-status-"+mode] = func(ctx context.Context, e *env) error { return statusDetails(ctx, e, mode) }
		m["details-biz-"+mode] = func(ctx context.Context, e *env) error { return bizDetails(ctx, e, mode) }
	}
}

// logID is T33: a middleware makes the log id, and everything behind it has it.
func logID(ctx context.Context, e *env) error {
	var seen []string
	c := e.client(
		streamclient.WithMiddleware(func(next endpoint.Endpoint) endpoint.Endpoint {
			return func(ctx context.Context, req, resp any) error {
				return next(logid.NewCtxWithStreamLogID(ctx, "log-33"), req, resp)
			}
		}),
		streamclient.WithSendMiddleware(func(next endpoint.SendEndpoint) endpoint.SendEndpoint {
			return func(st streaming.Stream, msg any) error {
				seen = append(seen, logid.GetStreamLogID(st.Context()))
				return next(st, msg)
			}
		}),
		streamclient.WithRecvMiddleware(func(next endpoint.RecvEndpoint) endpoint.RecvEndpoint {
			return func(st streaming.Stream, msg any) error {
				seen = append(seen, logid.GetStreamLogID(st.Context()))
				return next(st, msg)
			}
		}),
	)
	st, err := c.Bidi(ctx)
	if err != nil {
		return err
	}
	if err := all(st.Send(request("log-id")), recvEcho(st, "log-33"), st.Close()); err != nil {
		return err
	}
	return all(same("what the middlewares see", strings.Join(seen, ","), "log-33,log-33"), same("log id of the stream", logid.GetStreamLogID(st.Context()), "log-33"))
}

// contextMap is T39: what the middleware of the server for receiving leaves in a map, that for sending finds there.
func contextMap(ctx context.Context, e *env) error {
	st, err := e.client().Bidi(ctx)
	if err != nil {
		return err
	}
	if err := all(st.Send(request("stored")), recvEcho(st, "map:stored"), st.Close()); err != nil {
		return err
	}
	_, err = st.Recv()
	return endOfStream(err)
}

// callerName has a client that says who it is.
func callerName(ctx context.Context, e *env) error {
	r, err := e.client(streamclient.WithMetaHandler(transmeta.ClientHTTP2Handler)).Unary(ctx, request("caller"))
	if err := all(err, expect(strings.HasPrefix(r.GetMessage(), "interop-go-client"), "the caller is %q", r.GetMessage())); err != nil {
		return err
	}
	r, err = e.client().Unary(ctx, request("caller"))
	return all(err, expect(strings.Trim(r.GetMessage(), "/") == "", "the caller is %q", r.GetMessage()))
}

func statusDetails(ctx context.Context, e *env, mode string) error {
	_, err := answer(ctx, e.client(), mode, counted("status-details", 1))
	e.saw("status", nil, err)
	var st *status.Status
	var ok bool
	for cause := err; cause != nil && !ok; cause = errors.Unwrap(cause) {
		st, ok = status.FromError(cause)
	}
	if !ok {
		return fmt.Errorf("not a status: %v", err)
	}
	return all(same("code", int32(st.Code()), 5), same("details", strings.Join(details(st), ","), "a detail"), same("message", st.Message(), "status with details [biz error]"))
}

func bizDetails(ctx context.Context, e *env, mode string) error {
	_, err := answer(ctx, e.client(), mode, counted("biz-details", 1))
	e.saw("biz", nil, err)
	biz, ok := kerrors.FromBizStatusError(err)
	if !ok {
		return fmt.Errorf("not a business status: %v", err)
	}
	st := biz.(kerrors.GRPCStatusIface).GRPCStatus()
	return all(
		same("code", biz.BizStatusCode(), 101), same("extra", biz.BizExtra()["k"], "v"),
		same("status", int32(st.Code()), 5), same("details", strings.Join(details(st), ","), "a detail"),
	)
}
