package scenario

import (
	"context"
	"time"

	"github.com/bytedance/gopkg/cloud/metainfo"
	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/client/streamclient"
	"github.com/cloudwego/kitex/pkg/logid"
	"github.com/cloudwego/kitex/pkg/transmeta"
	"millrace.dev/interop/kitex_gen/millrace/calls/callsservice"
	"millrace.dev/interop/kitex_gen/millrace/interop"
	"millrace.dev/interop/peer"
)

// Ask is one request whose answer the caller of the program judges, not the scenario.
type Ask struct {
	Word string `json:"word"`
	Key  string `json:"key"`
	// Count is 1 unless it says otherwise.
	Count int32 `json:"count"`
	// Transient and Persistent metainfo, log id and deadline of the call; empty ones are not there.
	Transient  map[string]string `json:"transient"`
	Persistent map[string]string `json:"persistent"`
	LogID      string            `json:"logId"`
	Millis     int               `json:"millis"`
	// Caller has the client tell its name.
	Caller bool `json:"caller"`
	// Otel has the client traced by Kitex's OpenTelemetry suite, in a span of its own.
	Otel bool `json:"otel"`
	// Prometheus has the client counted by Kitex's Prometheus monitor.
	Prometheus bool `json:"prometheus"`
}

func asking(m map[string]function) {
	for _, mode := range []string{"bidi", "client", "server", "unary", "call"} {
		m["ask-"+mode] = func(ctx context.Context, e *env) error { return ask(ctx, e, mode) }
	}
}

// ask makes one call of a mode, with the words of the case.
func ask(ctx context.Context, e *env, mode string) error {
	a := e.asked
	var traceID string
	if a.Otel {
		peer.TraceByOtel()
		ctx, traceID = peer.StartSpan(ctx)
		e.saw("trace", traceID, nil)
	}
	for k, v := range a.Transient {
		ctx = metainfo.WithValue(ctx, k, v)
	}
	for k, v := range a.Persistent {
		ctx = metainfo.WithPersistentValue(ctx, k, v)
	}
	if a.LogID != "" {
		ctx = logid.NewCtxWithStreamLogID(ctx, a.LogID)
	}
	if a.Millis != 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(a.Millis)*time.Millisecond)
		defer cancel()
	}
	ctx = metainfo.WithBackwardValues(ctx)
	req := &interop.Request{Message: &a.Word, Key: &a.Key, Count: ptr(max(a.Count, 1))}
	var r *interop.Response
	var err error
	if mode == "call" {
		options := []client.Option{}
		if a.Otel {
			options = append(options, client.WithSuite(peer.ClientSuite()))
		}
		if a.Prometheus {
			options = append(options, client.WithTracer(peer.ClientMonitor()))
		}
		if a.Millis != 0 {
			options = append(options, client.WithRPCTimeout(time.Duration(a.Millis)*time.Millisecond))
		}
		r, err = callsservice.MustNewClient("interop", e.callOptions(options...)...).Call(ctx, req)
	} else {
		options := []streamclient.Option{}
		if a.Otel {
			options = append(options, streamclient.WithSuite(peer.ClientSuite()))
		}
		if a.Prometheus {
			options = append(options, streamclient.WithTracer(peer.ClientMonitor()))
		}
		if a.Caller {
			options = append(options, streamclient.WithMetaHandler(transmeta.ClientHTTP2Handler))
		}
		r, err = answer(ctx, e.client(options...), mode, req)
	}
	// the calls of other modes go on
	if a.Otel && mode != "bidi" && mode != "server" {
		e.saw("spans", peer.SpansOf(traceID), nil)
		// recorded before the call returns
		e.saw("series", peer.Recorded(), nil)
	}
	if back := metainfo.RecvAllBackwardValues(ctx); len(back) > 0 {
		e.saw("backward", back, nil)
	}
	if a.Prometheus {
		metrics, broken := peer.Metrics()
		e.saw("metrics", metrics, broken)
	}
	var text any
	if r != nil {
		text = r.GetMessage()
	}
	e.saw("ask", text, err)
	return nil
}
