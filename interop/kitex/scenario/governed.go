package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/client/streamclient"
	"github.com/cloudwego/kitex/pkg/circuitbreak"
	"github.com/cloudwego/kitex/pkg/kerrors"
	"github.com/cloudwego/kitex/pkg/loadbalance"
	"github.com/cloudwego/kitex/pkg/loadbalance/lbcache"
	"github.com/cloudwego/kitex/pkg/remote"
	"github.com/cloudwego/kitex/pkg/remote/trans/nphttp2/status"
	"github.com/cloudwego/kitex/pkg/retry"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
	"github.com/cloudwego/kitex/pkg/transmeta"
	"github.com/cloudwego/kitex/transport"
	etcd "github.com/kitex-contrib/registry-etcd"
	"millrace.dev/interop/kitex_gen/millrace/calls/callsservice"
	"millrace.dev/interop/kitex_gen/millrace/interop"
	"millrace.dev/interop/kitex_gen/millrace/interop/interopservice"
)

// Governed is a client with policies, and what it calls. Cases that say the same about the client share one.
type Governed struct {
	Policies
	// Mode is call, unary, bidi, client or server.
	Mode string `json:"mode"`
	// Width is how many calls run at once.
	Width int `json:"width"`
}

// Policies of a client.
type Policies struct {
	// Etcd is HOST:PORT of the etcd that knows Service; without it the address of the case is called.
	Etcd    string `json:"etcd"`
	Service string `json:"service"`
	// Millis is the timeout of a call.
	Millis int `json:"millis"`
	// Retries after failures.
	Retries int `json:"retries"`
	// Breaker is the number of calls from which on the breaker counts; 0 is none.
	Breaker int64 `json:"breaker"`
}

// governedClient makes one call of a mode.
type governedClient func(ctx context.Context, mode string, req *interop.Request) (*interop.Response, error)

var (
	governedLock    sync.Mutex
	governedClients = map[string]governedClient{}
)

// options are those that clients of calls and of streams have.
func (p Policies) options(address string) ([]client.Option, error) {
	opts := []client.Option{
		client.WithClientBasicInfo(&rpcinfo.EndpointBasicInfo{ServiceName: "interop-go-client"}),
		client.WithConnectTimeout(time.Second),
	}
	if p.Etcd == "" {
		opts = append(opts, client.WithHostPorts(address))
	} else {
		resolver, err := etcd.NewEtcdResolver([]string{p.Etcd})
		if err != nil {
			return nil, err
		}
		opts = append(opts, client.WithResolver(resolver),
			client.WithLoadBalancer(loadbalance.NewWeightedRoundRobinBalancer(), &lbcache.Options{RefreshInterval: 200 * time.Millisecond}))
	}
	if p.Millis != 0 {
		opts = append(opts, client.WithRPCTimeout(time.Duration(p.Millis)*time.Millisecond))
	}
	if p.Retries != 0 {
		policy := retry.NewFailurePolicy()
		policy.WithMaxRetryTimes(p.Retries)
		opts = append(opts, client.WithFailureRetry(policy))
	}
	if p.Breaker != 0 {
		breakers := circuitbreak.NewCBSuite(circuitbreak.RPCInfo2Key)
		config := circuitbreak.CBConfig{Enable: true, ErrRate: 0.5, MinSample: p.Breaker}
		for _, method := range []string{"Call", "Unary", "Bidi"} {
			breakers.UpdateServiceCBConfig("interop-go-client/"+p.service()+"/"+method, config)
		}
		breakers.UpdateInstanceCBConfig(config)
		opts = append(opts, client.WithCircuitBreaker(breakers))
	}
	return opts, nil
}

func (p Policies) service() string {
	if p.Service == "" {
		return "interop"
	}
	return p.Service
}

func (p Policies) make(address string) (governedClient, error) {
	opts, err := p.options(address)
	if err != nil {
		return nil, err
	}
	calls, err := callsservice.NewClient(p.service(), append(opts,
		client.WithTransportProtocol(transport.TTHeaderFramed), client.WithMetaHandler(transmeta.ClientTTHeaderHandler))...)
	if err != nil {
		return nil, err
	}
	streams, err := interopservice.NewStreamClient(p.service(), append(streamOptions(opts),
		streamclient.WithGRPCConnPoolSize(1), streamclient.WithMetaHandler(transmeta.ClientHTTP2Handler))...)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, mode string, req *interop.Request) (*interop.Response, error) {
		switch mode {
		case "call":
			return calls.Call(ctx, req)
		case "bidi":
			return wholeStream(ctx, streams, req)
		}
		return answer(ctx, streams, mode, req)
	}, nil
}

// wholeStream sends one message, and reads to the end: Kitex does not tell the server of a stream that it leaves while it does not read.
func wholeStream(ctx context.Context, c interopservice.StreamClient, req *interop.Request) (*interop.Response, error) {
	st, err := c.Bidi(ctx)
	if err != nil {
		return nil, err
	}
	st.Send(req)
	st.Close()
	r, err := st.Recv()
	if err != nil {
		return nil, err
	}
	if _, err := st.Recv(); err != io.EOF {
		return nil, fmt.Errorf("not the end: %w", err)
	}
	return r, nil
}

func streamOptions(opts []client.Option) []streamclient.Option {
	out := make([]streamclient.Option, len(opts))
	for i, o := range opts {
		out[i] = streamclient.ConvertOptionFrom(o)
	}
	return out
}

// governedBy is the client of some policies, and of an address.
func governedBy(p Policies, address string) (governedClient, error) {
	governedLock.Lock()
	defer governedLock.Unlock()
	text, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	key := address + string(text)
	if c, ok := governedClients[key]; ok {
		return c, nil
	}
	c, err := p.make(address)
	if err == nil {
		governedClients[key] = c
	}
	return c, err
}

// outcomeOf is the message of a response, or an error with its code.
func outcomeOf(r *interop.Response, err error) string {
	if err == nil {
		return r.GetMessage()
	}
	text, _, _ := strings.Cut(err.Error(), "\nstack=")
	if trans := (*remote.TransError)(nil); errors.As(err, &trans) {
		return fmt.Sprintf("type %d: %s", trans.TypeID(), text)
	}
	if st, ok := status.FromError(err); ok && !errors.Is(err, kerrors.ErrRPCTimeout) {
		return fmt.Sprintf("code %d: %s", st.Code(), text)
	}
	return text
}

func governing(m map[string]function) {
	// what n calls came to: how often each outcome was seen
	m["governed"] = func(ctx context.Context, e *env) error {
		p := e.policy
		c, err := governedBy(p.Policies, e.address)
		if err != nil {
			return err
		}
		outcomes := map[string]int{}
		var lock sync.Mutex
		var running sync.WaitGroup
		slots := make(chan struct{}, max(p.Width, 1))
		for range e.n {
			slots <- struct{}{}
			running.Add(1)
			go func() {
				defer running.Done()
				each, cancel := context.WithCancel(ctx)
				defer cancel()
				r, err := c(each, p.Mode, &interop.Request{Message: &e.asked.Word, Key: &e.asked.Key, Count: ptr(max(e.asked.Count, 1))})
				lock.Lock()
				outcomes[outcomeOf(r, err)]++
				lock.Unlock()
				<-slots
			}()
		}
		running.Wait()
		return e.saw("outcomes", outcomes, nil)
	}
}
