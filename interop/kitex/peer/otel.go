package peer

import (
	"context"
	"sync"
	"time"

	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/server"
	"github.com/kitex-contrib/obs-opentelemetry/tracing"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Span is one that has ended.
type Span struct {
	Name       string         `json:"name"`
	Kind       string         `json:"kind"`
	Attributes map[string]any `json:"attributes"`
	Events     []string       `json:"events"`
	Failed     bool           `json:"failed"`
}

// exporter keeps the spans of this program by their traces: clients and the word `spans` tell of them.
type exporter struct {
	sync.Mutex
	spans map[string][]Span
}

var (
	tracedByOtel bool
	spans        = &exporter{spans: map[string][]Span{}}
)

func (e *exporter) ExportSpans(_ context.Context, list []sdk.ReadOnlySpan) error {
	e.Lock()
	defer e.Unlock()
	for _, s := range list {
		span := Span{Name: s.Name(), Kind: s.SpanKind().String(), Attributes: map[string]any{}, Failed: s.Status().Code == codes.Error}
		for _, a := range s.Attributes() {
			span.Attributes[string(a.Key)] = a.Value.AsInterface()
		}
		for _, event := range s.Events() {
			span.Events = append(span.Events, event.Name)
		}
		id := s.SpanContext().TraceID().String()
		e.spans[id] = append(e.spans[id], span)
	}
	return nil
}

func (e *exporter) Shutdown(context.Context) error { return nil }

// SpansOf waits until a trace has an ended span in this program, two seconds at most.
func SpansOf(traceID string) []Span {
	for range 200 {
		spans.Lock()
		list := spans.spans[traceID]
		spans.Unlock()
		if len(list) > 0 {
			return list
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}

// TraceByOtel has every client and server that is made from now on traced by Kitex's OpenTelemetry suite.
func TraceByOtel() {
	if tracedByOtel {
		return
	}
	tracedByOtel = true
	otel.SetTracerProvider(sdk.NewTracerProvider(sdk.WithSyncer(spans)))
	otel.SetMeterProvider(meters{})
	otel.SetTextMapPropagator(propagation.TraceContext{})
}

// Series is one of a histogram.
type Series struct {
	Name       string         `json:"name"`
	Unit       string         `json:"unit"`
	Attributes map[string]any `json:"attributes"`
}

// The suite's histograms, of which only the series are kept: times differ from run to run.
type (
	meters    struct{ noop.MeterProvider }
	meter     struct{ noop.Meter }
	histogram struct {
		noop.Float64Histogram
		name, unit string
	}
)

var recorded struct {
	sync.Mutex
	series []Series
}

func (meters) Meter(string, ...metric.MeterOption) metric.Meter { return meter{} }

func (meter) Float64Histogram(name string, options ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return histogram{name: name, unit: metric.NewFloat64HistogramConfig(options...).Unit()}, nil
}

func (h histogram) Record(_ context.Context, _ float64, options ...metric.RecordOption) {
	s := Series{Name: h.name, Unit: h.unit, Attributes: map[string]any{}}
	set := metric.NewRecordConfig(options).Attributes()
	for _, a := range set.ToSlice() {
		s.Attributes[string(a.Key)] = a.Value.AsInterface()
	}
	recorded.Lock()
	defer recorded.Unlock()
	recorded.series = append(recorded.series, s)
}

// Recorded are the series that the suite has recorded to in this program, in order.
func Recorded() []Series {
	recorded.Lock()
	defer recorded.Unlock()
	return append([]Series{}, recorded.series...)
}

// ClientSuite traces a client.
func ClientSuite() client.Suite {
	return tracing.NewClientSuite(tracing.WithTextMapPropagator(propagation.TraceContext{}))
}

func serverSuite() server.Suite {
	return tracing.NewServerSuite(tracing.WithTextMapPropagator(propagation.TraceContext{}))
}

// StartSpan begins the trace of a client, by a span that never ends.
func StartSpan(ctx context.Context) (traced context.Context, traceID string) {
	ctx, span := otel.Tracer("interop").Start(ctx, "root")
	return ctx, span.SpanContext().TraceID().String()
}

func spanOf(ctx context.Context) (traceID, spanID, parentID string) {
	span, ok := trace.SpanFromContext(ctx).(sdk.ReadOnlySpan)
	if !ok {
		return "", "", ""
	}
	if parent := span.Parent(); parent.IsValid() {
		parentID = parent.SpanID().String()
	}
	return span.SpanContext().TraceID().String(), span.SpanContext().SpanID().String(), parentID
}
