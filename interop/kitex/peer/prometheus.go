package peer

import (
	"bytes"
	"sync"

	"github.com/cloudwego/kitex/pkg/stats"
	monitor "github.com/kitex-contrib/monitor-prometheus"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
)

var registry = prometheus.NewRegistry()

func monitored() []monitor.Option {
	return []monitor.Option{monitor.WithDisableServer(true), monitor.WithRegistry(registry)}
}

// ServerMonitor and ClientMonitor are Kitex's Prometheus tracers; what they count is in Metrics.
var (
	ServerMonitor = sync.OnceValue(func() stats.Tracer { return monitor.NewServerTracer("", "", monitored()...) })
	ClientMonitor = sync.OnceValue(func() stats.Tracer { return monitor.NewClientTracer("", "", monitored()...) })
)

// Metrics are those of this program, in the text format of Prometheus.
func Metrics() (string, error) {
	families, err := registry.Gather()
	if err != nil {
		return "", err
	}
	var text bytes.Buffer
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(&text, family); err != nil {
			return "", err
		}
	}
	return text.String(), nil
}
