package scenario

import (
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/bytedance/gopkg/cloud/metainfo"
	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/client/callopt"
	"github.com/cloudwego/kitex/pkg/connpool"
	"github.com/cloudwego/kitex/pkg/endpoint"
	"github.com/cloudwego/kitex/pkg/remote"
	"github.com/cloudwego/kitex/pkg/remote/codec"
	"github.com/cloudwego/kitex/pkg/remote/trans/netpoll"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
	"github.com/cloudwego/kitex/pkg/transmeta"
	"github.com/cloudwego/kitex/pkg/utils"
	"github.com/cloudwego/kitex/transport"
	"millrace.dev/interop/kitex_gen/millrace/calls"
	"millrace.dev/interop/kitex_gen/millrace/calls/callsservice"
	"millrace.dev/interop/kitex_gen/millrace/interop"
	"millrace.dev/interop/kitex_gen/millrace/interop/interopservice"
)

// CallOptions of PingPong clients.
type CallOptions struct {
	// Encoding is buffered, framed, ttheader or ttheader-framed, which is the default.
	Encoding string `json:"encoding,omitempty"`
	// Connection is long, which is the default, short or mux.
	Connection string `json:"connection,omitempty"`
	// Plain is a client without the handlers of TTHeader's keys, as Kitex makes it by default.
	Plain bool `json:"plain,omitempty"`
	// Checksum writes and checks CRC-32C.
	Checksum bool `json:"checksum,omitempty"`
}

// keyed says whether calls carry the keys of a TTHeader.
func (o CallOptions) keyed() bool {
	return !o.Plain && o.Encoding != "buffered" && o.Encoding != "framed"
}

// counting counts dials.
type counting struct {
	remote.Dialer
	e *env
}

func (c counting) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	c.e.dials.Add(1)
	return c.Dialer.DialTimeout(network, address, timeout)
}

func (e *env) callOptions(more ...client.Option) []client.Option {
	o := e.calling
	opts := []client.Option{
		client.WithHostPorts(e.address),
		client.WithClientBasicInfo(&rpcinfo.EndpointBasicInfo{ServiceName: "interop-go-client"}),
		client.WithDialer(counting{netpoll.NewDialer(), e}),
		client.WithConnectTimeout(2 * time.Second),
	}
	switch o.Encoding {
	case "buffered":
		opts = append(opts, client.WithTransportProtocol(transport.PurePayload))
	case "framed":
		opts = append(opts, client.WithTransportProtocol(transport.PurePayload), client.WithTransportProtocol(transport.Framed))
	case "ttheader":
		opts = append(opts, client.WithTransportProtocol(transport.PurePayload), client.WithTransportProtocol(transport.TTHeader))
	default:
		opts = append(opts, client.WithTransportProtocol(transport.TTHeaderFramed))
	}
	if o.keyed() {
		opts = append(opts, client.WithMetaHandler(transmeta.ClientTTHeaderHandler))
	}
	switch o.Connection {
	case "short":
		opts = append(opts, client.WithShortConnection())
	case "mux":
		opts = append(opts, client.WithMuxConnection(1))
	default:
		opts = append(opts, client.WithLongConnection(connpool.IdleConfig{MaxIdlePerAddress: 100, MaxIdleGlobal: 1000, MaxIdleTimeout: time.Minute}))
	}
	if o.Checksum {
		opts = append(opts, client.WithCodec(codec.NewDefaultCodecWithConfig(codec.CodecConfig{CRC32Check: true})))
	}
	return append(opts, more...)
}

func (e *env) calls(more ...client.Option) callsservice.Client {
	return callsservice.MustNewClient("interop", e.callOptions(more...)...)
}

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

// many makes n calls, 64 at once; the first error.
func (e *env) many(n int, call func(i int) error) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var first error
	slots := make(chan struct{}, 64)
	for i := range n {
		slots <- struct{}{}
		wg.Add(1)
		go func() {
			defer wg.Done()
			if err := call(i); err != nil {
				mu.Lock()
				if first == nil {
					first = fmt.Errorf("call %d: %w", i, err)
				}
				mu.Unlock()
			}
			<-slots
		}()
	}
	wg.Wait()
	return first
}

func pingPong(m map[string]function) {
	m["call-shapes"] = callShapes
	m["call-types"] = callTypes
	m["call-mixed"] = callMixed
	m["call-oneway"] = callOneway
	m["call-nil"] = func(ctx context.Context, e *env) error {
		r, err := e.calls().Call(ctx, request("nil"))
		return all(e.saw("call", nil, err), expect(r == nil, "a result: %v", r))
	}
	m["call-required"] = func(ctx context.Context, e *env) error {
		// a struct that is null goes out as an empty one, which lacks the required member
		_, err := e.calls().NeedText(ctx, nil)
		e.saw("call", nil, err)
		// Kitex puts the names of its Go types before it, and more behind it where the message has no length
		var trans *remote.TransError
		return expect(errors.As(err, &trans) && trans.TypeID() == 7 && strings.Contains(err.Error(), "required field text is not set"), "not the member that is missing: %v", err)
	}
	m["call-union"] = func(ctx context.Context, e *env) error {
		c := e.calls()
		for _, choice := range []*interop.Choice{{Number: ptr(int32(7))}, {Text: ptr("")}, {Point: &interop.Point{X: 1}}, {Words: []string{"a"}}, {Flag: ptr(false)}} {
			got, err := c.Choose(ctx, choice)
			if err := all(err, expect(reflect.DeepEqual(got, choice), "%v came back as %v", choice, got)); err != nil {
				return err
			}
		}
		// Kitex's writer panics, nothing is sent
		_, err := c.Choose(ctx, &interop.Choice{})
		return expect(err != nil && strings.Contains(err.Error(), "exactly one field must be set"), "not refused: %v", err)
	}
	m["call-big"] = callBig
	m["call-many"] = callMany
	m["call-peers"] = callPeers
	m["call-timeout"] = callTimeout
	m["call-timeout-seen"] = callTimeoutSeen
	m["call-cancel"] = callCancel
	m["call-metainfo"] = callMetainfo
	m["call-middleware"] = callMiddleware
	m["call-middleware-server"] = func(ctx context.Context, e *env) error {
		r, err := e.calls().Call(ctx, request("hi"))
		return all(e.saw("call", r, err), echoed(r, "mw:hi", nil))
	}
	m["call-refused-by-middleware"] = func(ctx context.Context, e *env) error {
		_, err := e.calls().Call(ctx, request("hi"))
		e.saw("call", nil, err)
		return transOf(err, 6, "request over limit: request too frequent")
	}
	m["call-stop"] = callStop
	m["call-checksum-wrong"] = func(ctx context.Context, e *env) error {
		_, err := e.calls(client.WithMetaHandler(wrongChecksum{})).Call(ctx, request("hi"))
		e.saw("call", nil, err)
		return expect(err != nil && strings.Contains(err.Error(), "EOF"), "the server did not close: %v", err)
	}
	for word, check := range callErrors() {
		m["call-error-"+word] = func(ctx context.Context, e *env) error { return callError(ctx, e, word, check) }
	}
	routing(m)
}

func callShapes(ctx context.Context, e *env) error {
	c := e.calls()
	for range e.n {
		blob := e.blob()
		r, err := c.Call(ctx, &interop.Request{Message: ptr("hi 错误"), Count: ptr(int32(-1)), Blob: blob})
		if err := all(e.saw("Call", nil, err), echoed(r, "hi 错误", blob), same("count", r.GetCount(), -1)); err != nil {
			return err
		}
		text, err := c.NeedText(ctx, &calls.Strict{Text: "needed"})
		if err := all(err, same("NeedText", text, "needed")); err != nil {
			return err
		}
		next, err := c.Next(ctx, 41)
		if err := all(err, same("Next", next, 42)); err != nil {
			return err
		}
		not, err := c.Not(ctx, true)
		if err := all(err, same("Not", not, false)); err != nil {
			return err
		}
		half, err := c.Half(ctx, -0.5)
		if err := all(err, same("Half", half, -0.25)); err != nil {
			return err
		}
		sum, err := c.Sum(ctx, []int64{1 << 60, 1, -3})
		if err := all(err, same("Sum", sum, 1<<60-2)); err != nil {
			return err
		}
		bytes, err := c.Bytes(ctx, []byte{0, 1, 0xff})
		if err := all(err, same("Bytes", string(bytes), "\x00\x01\xff")); err != nil {
			return err
		}
		empty, err := c.Bytes(ctx, nil)
		if err := all(err, same("empty Bytes", len(empty), 0)); err != nil {
			return err
		}
		sizes, err := c.Sizes(ctx, []string{"", "ab", "错"})
		if err := all(err, same("Sizes", fmt.Sprint(sizes), "map[:0 ab:2 错:3]")); err != nil {
			return err
		}
		repeated, err := c.Repeat(ctx, "ab", 2)
		if err := all(err, same("Repeat", repeated, "abab"), c.Nothing(ctx), c.Attempt(ctx, request("hi"))); err != nil {
			return err
		}
	}
	return nil
}

func callTypes(ctx context.Context, e *env) error {
	c := e.calls()
	for range e.n {
		for name, v := range everything() {
			got, err := c.Every(ctx, v)
			if err := all(err, equal(name, got, v)); err != nil {
				return err
			}
		}
	}
	return nil
}

// callMixed calls the PingPong methods of the service that has streams too, while a stream is open on the same port.
func callMixed(ctx context.Context, e *env) error {
	st, err := e.client().Bidi(ctx)
	if err != nil {
		return err
	}
	c := interopservice.MustNewClient("interop", e.callOptions()...)
	for range e.n {
		if err := all(st.Send(request("one")), recvEcho(st, "one")); err != nil {
			return err
		}
		r, err := c.Echo(ctx, request("hi"))
		if err := all(e.saw("Echo", nil, err), echoed(r, "hi", nil)); err != nil {
			return err
		}
		joined, err := c.Join(ctx, "a", "b")
		if err := all(err, same("Join", joined, "a-b"), c.Ping(ctx), c.Check(ctx, request("hi")), c.Notify(ctx, "text")); err != nil {
			return err
		}
		_, err = c.Echo(ctx, request("refused"))
		if err := refusedOf(err); err != nil {
			return err
		}
	}
	if err := st.Close(); err != nil {
		return err
	}
	_, err = st.Recv()
	return endOfStream(err)
}

// heard asks whether a oneway call arrived, or a handler ran to its end.
func heard(ctx context.Context, c callsservice.Client, k, text string) error {
	r, err := c.Call(ctx, keyed("seen", k))
	return all(err, same("what arrived", r.GetMessage(), text))
}

func callOneway(ctx context.Context, e *env) error {
	c := e.calls()
	for _, text := range []string{"told", "plain-error", "panic", "biz"} {
		k := key()
		if err := all(e.saw("Tell", nil, c.Tell(ctx, text, k)), heard(ctx, c, k, text)); err != nil {
			return err
		}
	}
	return nil
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

// callBig sends size bytes both ways, n times.
func callBig(ctx context.Context, e *env) error {
	c := e.calls()
	for range e.n {
		got, err := c.Bytes(ctx, e.blob())
		if err := all(err, expect(string(got) == string(e.blob()), "%d bytes came back different, with %d", e.size, len(got))); err != nil {
			return err
		}
	}
	return nil
}

// callMany makes n calls, 64 at once, each with an answer of its own.
func callMany(ctx context.Context, e *env) error {
	c := e.calls()
	err := e.many(e.n, func(i int) error {
		text := fmt.Sprint("call ", i)
		r, err := c.Call(ctx, &interop.Request{Message: &text, Blob: e.blob()})
		return all(err, echoed(r, text, e.blob()))
	})
	e.saw("dials", e.dials.Load(), nil)
	if err != nil {
		return err
	}
	switch dials := e.dials.Load(); e.calling.Connection {
	case "short":
		return same("dials", dials, int64(e.n))
	case "mux":
		return same("dials", dials, 1)
	default:
		return expect(dials <= 64, "%d dials for %d calls, 64 at once", dials, e.n)
	}
}

// callPeers makes n calls one after the other, and counts connections on both sides.
func callPeers(ctx context.Context, e *env) error {
	c := e.calls()
	peers := map[string]bool{}
	for range e.n {
		r, err := c.Call(ctx, request("peer"))
		if err := e.saw("peer", nil, err); err != nil {
			return err
		}
		peers[r.GetMessage()] = true
	}
	want := 1
	if e.calling.Connection == "short" {
		want = e.n
	}
	return all(same("dials", e.dials.Load(), int64(want)), same("peers", len(peers), want))
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

// callMiddleware has a client middleware that changes what goes out and what comes back.
func callMiddleware(ctx context.Context, e *env) error {
	c := e.calls(client.WithMiddleware(rewriting))
	r, err := c.Call(ctx, request("hi"))
	return all(e.saw("Call", r, err), echoed(r, "client mw:hi changed", nil))
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

// callMetainfo has values of all three kinds.
func callMetainfo(ctx context.Context, e *env) error {
	c := e.calls()
	ctx = metainfo.WithValue(ctx, "t", "1")
	ctx = metainfo.WithPersistentValue(ctx, "p", "错误")
	ctx = metainfo.WithValue(ctx, "gdpr-token", "tok")
	ctx = metainfo.WithValue(ctx, "e", "")
	r, err := c.Call(ctx, request("metainfo"))
	if err := e.saw("metainfo", r.GetMessage(), err); err != nil {
		return err
	}
	back := metainfo.WithBackwardValues(ctx)
	_, err = c.Call(back, request("backward"))
	got, _ := metainfo.RecvBackwardValue(back, "from-server")
	if err := e.saw("backward", got, err); err != nil {
		return err
	}
	if e.calling.Encoding == "buffered" || e.calling.Encoding == "framed" {
		return all(same("metainfo", r.GetMessage(), ""), same("backward", got, ""))
	}
	return all(same("metainfo", r.GetMessage(), "persistent p=错误; transient gdpr-token=tok; transient t=1"), same("backward", got, "v2"))
}

func rewriting(next endpoint.Endpoint) endpoint.Endpoint {
	return func(ctx context.Context, req, resp any) error {
		if args, ok := req.(utils.KitexArgs); ok {
			if r, ok := args.GetFirstArgument().(*interop.Request); ok {
				r.Message = ptr(r.GetMessage() + " changed")
			}
		}
		err := next(ctx, req, resp)
		if result, ok := resp.(utils.KitexResult); ok && err == nil {
			if r, ok := result.GetResult().(*interop.Response); ok {
				r.Message = ptr("client mw:" + r.GetMessage())
			}
		}
		return err
	}
}
