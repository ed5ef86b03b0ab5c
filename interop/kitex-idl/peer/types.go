package main

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/cloudwego/gopkg/protocol/thrift"
	b "millrace.dev/interop/idl/kitex_gen/a/b"
	"millrace.dev/interop/idl/kitex_gen/echo"
	"millrace.dev/interop/idl/kitex_gen/millrace/dotted/user_api"
	"millrace.dev/interop/idl/kitex_gen/millrace/golden/codec"
)

// message is what Kitex generates for a struct, union or exception.
type message interface {
	thrift.FastCodec
	InitDefault()
}

// of makes new messages of a type, with its defaults.
func of[T any, P interface {
	*T
	message
}]() func() message {
	return func() message {
		m := P(new(T))
		m.InitDefault()
		return m
	}
}

// types has every type of the IDLs, by the prefix of its file and its name there.
var types = map[string]func() message{
	"api.Request":  of[echo.Request](),
	"api.Response": of[echo.Response](),

	"a.b.page":      of[b.Page](),
	"a.b.not_found": of[b.NotFound](),

	"user.api.user": of[user_api.User](),
	"user.api.find": of[user_api.Find](),

	"golden.Point":           of[codec.Point](),
	"golden.Scalars":         of[codec.Scalars](),
	"golden.OptionalScalars": of[codec.OptionalScalars](),
	"golden.RequiredScalars": of[codec.RequiredScalars](),
	"golden.Defaults":        of[codec.Defaults](),
	"golden.Holders":         of[codec.Holders](),
	"golden.Node":            of[codec.Node](),
	"golden.Choice":          of[codec.Choice](),
	"golden.WithChoice":      of[codec.WithChoice](),
	"golden.Failure":         of[codec.Failure](),
	"golden.Lists":           of[codec.Lists](),
	"golden.Sets":            of[codec.Sets](),
	"golden.Maps":            of[codec.Maps](),
	"golden.Ids":             of[codec.Ids](),
	"golden.Order":           of[codec.Order](),
	"golden.Deep":            of[codec.Deep](),
	"golden.Empty":           of[codec.Empty](),
	"golden.Text":            of[codec.Text](),
	"golden.Older":           of[codec.Older](),
	"golden.Newer":           of[codec.Newer_](),
	"golden.Outer":           of[codec.Outer](),
}

func names() []string {
	return slices.Sorted(maps.Keys(types))
}

func create(name string) (message, error) {
	create, ok := types[name]
	if !ok {
		return nil, fmt.Errorf("no type %q", name)
	}
	return create(), nil
}

func recode(name string, messages []string) ([]string, error) {
	out := []string{}
	for i, text := range messages {
		bytes, err := hex.DecodeString(text)
		if err != nil {
			return nil, err
		}
		m, err := create(name)
		if err != nil {
			return nil, err
		}
		if err := thrift.FastUnmarshal(bytes, m); err != nil {
			return nil, fmt.Errorf("%s, message %d: %w", name, i, err)
		}
		out = append(out, hex.EncodeToString(thrift.FastMarshal(m)))
	}
	return out, nil
}
