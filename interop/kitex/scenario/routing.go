package scenario

import (
	"context"
	"fmt"
	"time"

	"millrace.dev/interop/kitex_gen/millrace/combined/combineservice"
	"millrace.dev/interop/kitex_gen/millrace/routes/first"
	"millrace.dev/interop/kitex_gen/millrace/routes/second"
	strangecalls "millrace.dev/interop/kitex_gen/millrace/strangers/callsservice"
	strangefirst "millrace.dev/interop/kitex_gen/millrace/strangers/first"
	"millrace.dev/interop/kitex_gen/millrace/strangers/nowhere"
)

func routing(m map[string]function) {
	m["call-unknown"] = callUnknown
	m["call-routes"] = func(ctx context.Context, e *env) error { return e.routes(ctx, routes) }
	m["call-routes-refuse"] = func(ctx context.Context, e *env) error { return e.routes(ctx, routesRefuse) }
	m["call-routes-unknown"] = func(ctx context.Context, e *env) error { return e.routes(ctx, routesUnknown) }
	m["call-combined"] = callCombined
}

// callUnknown is for a server with the services of the suite.
func callUnknown(ctx context.Context, e *env) error {
	c := strangecalls.MustNewClient("interop", e.callOptions()...)
	_, missing := c.Missing(ctx, "hi")
	e.saw("Missing", nil, missing)
	n := nowhere.MustNewClient("interop", e.callOptions()...)
	_, nobody := n.Nobody(ctx)
	e.saw("Nobody", nil, nobody)
	r, err := e.calls().Call(ctx, request("hi"))
	if err := all(err, echoed(r, "hi", nil)); err != nil {
		return err
	}
	if e.calling.keyed() {
		return all(transOf(missing, 1, "unknown method Missing (service CallsService)"), transOf(nobody, 20, "unknown service Nowhere, method Nobody"))
	}
	return all(transOf(missing, 20, "unknown service , method Missing"), transOf(nobody, 20, "unknown service , method Nobody"))
}

// outcomes of requests with the name of a service in the TTHeader and without: where they arrive, or the exception that answers them.
type outcomes struct {
	named, bare     string
	namedAs, bareAs int32
}

// routes of a server with the services First and, as the fallback, Second.
var routes = map[string]outcomes{
	"First.Shared":       {named: "First.Shared", bare: "Second.Shared"},
	"First.OnlyFirst":    {named: "First.OnlyFirst", bare: "First.OnlyFirst"},
	"Second.Shared":      {named: "Second.Shared", bare: "Second.Shared"},
	"Second.OnlySecond":  {named: "Second.OnlySecond", bare: "Second.OnlySecond"},
	"First.OnlySecond":   {named: "unknown method OnlySecond (service First)", namedAs: 1, bare: "Second.OnlySecond"},
	"First.Nobody":       {named: "unknown method Nobody (service First)", namedAs: 1, bare: "unknown service , method Nobody", bareAs: 20},
	"Nowhere.Shared":     {named: "unknown service Nowhere, method Shared", namedAs: 20, bare: "Second.Shared"},
	"Nowhere.OnlyFirst":  {named: "First.OnlyFirst", bare: "First.OnlyFirst"},
	"Nowhere.OnlySecond": {named: "Second.OnlySecond", bare: "Second.OnlySecond"},
	"Nowhere.Nobody":     {named: "unknown service Nowhere, method Nobody", namedAs: 20, bare: "unknown service , method Nobody", bareAs: 20},
}

// routesRefuse of a server that turns away what names no service of its own.
var routesRefuse = map[string]outcomes{
	"First.Shared":      {named: "First.Shared", bare: "unknown service , method Shared", bareAs: 20},
	"Second.Shared":     {named: "Second.Shared", bare: "unknown service , method Shared", bareAs: 20},
	"First.OnlySecond":  {named: "unknown method OnlySecond (service First)", namedAs: 1, bare: "unknown service , method OnlySecond", bareAs: 20},
	"Nowhere.OnlyFirst": {named: "unknown service Nowhere, method OnlyFirst", namedAs: 20, bare: "unknown service , method OnlyFirst", bareAs: 20},
}

// routesUnknown of a server that has a handler for what it does not know, which tells how long the arguments are.
var routesUnknown = map[string]outcomes{
	"First.Shared":      {named: "First.Shared", bare: "Second.Shared"},
	"Nowhere.OnlyFirst": {named: "First.OnlyFirst", bare: "First.OnlyFirst"},
	"First.Nobody":      {named: "unknown First.Nobody(1 bytes)", bare: "unknown .Nobody(1 bytes)"},
	"Nowhere.Nobody":    {named: "unknown Nowhere.Nobody(1 bytes)", bare: "unknown .Nobody(1 bytes)"},
	"Nowhere.Shared":    {named: "unknown Nowhere.Shared(1 bytes)", bare: "Second.Shared"},
}

func (e *env) routes(ctx context.Context, table map[string]outcomes) error {
	one := first.MustNewClient("interop", e.callOptions()...)
	two := second.MustNewClient("interop", e.callOptions()...)
	stranger := strangefirst.MustNewClient("interop", e.callOptions()...)
	none := nowhere.MustNewClient("interop", e.callOptions()...)
	requests := map[string]func() (string, error){
		"First.Shared":       func() (string, error) { return one.Shared(ctx) },
		"First.OnlyFirst":    func() (string, error) { return one.OnlyFirst(ctx) },
		"Second.Shared":      func() (string, error) { return two.Shared(ctx) },
		"Second.OnlySecond":  func() (string, error) { return two.OnlySecond(ctx) },
		"First.OnlySecond":   func() (string, error) { return stranger.OnlySecond(ctx) },
		"First.Nobody":       func() (string, error) { return stranger.Nobody(ctx) },
		"Nowhere.Shared":     func() (string, error) { return none.Shared(ctx) },
		"Nowhere.OnlyFirst":  func() (string, error) { return none.OnlyFirst(ctx) },
		"Nowhere.OnlySecond": func() (string, error) { return none.OnlySecond(ctx) },
		"Nowhere.Nobody":     func() (string, error) { return none.Nobody(ctx) },
	}
	for name, want := range table {
		got, err := requests[name]()
		e.saw(name, got, err)
		text, code := want.bare, want.bareAs
		if e.calling.keyed() {
			text, code = want.named, want.namedAs
		}
		if code != 0 {
			err = transOf(err, code, text)
		} else {
			err = all(err, same("answer", got, text))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	// nobody waits for it, whoever it was meant for; Kitex's client says that it went well
	err := stranger.NobodyHears(ctx)
	time.Sleep(20 * time.Millisecond)
	return err
}

// callCombined calls both halves of a service that Kitex's generator combined: no service is named.
func callCombined(ctx context.Context, e *env) error {
	c := combineservice.MustNewClient("interop", e.callOptions()...)
	left, err := c.Left(ctx, "a")
	if err := all(err, same("Left", left, "left a")); err != nil {
		return err
	}
	right, err := c.Right(ctx, "b")
	return all(err, same("Right", right, "right b"))
}
