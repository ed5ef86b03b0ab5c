package scenario

import (
	"context"
	"fmt"
	"math"
	"reflect"

	"github.com/cloudwego/gopkg/protocol/thrift"
	"millrace.dev/interop/kitex_gen/millrace/interop"
)

func types(m map[string]function) {
	m["types-bidi"] = func(ctx context.Context, e *env) error {
		st, err := e.client().Types(ctx)
		if err != nil {
			return err
		}
		for range e.n {
			for name, v := range everything() {
				if err := st.Send(v); err != nil {
					return err
				}
				got, err := st.Recv()
				if err := all(err, equal(name, got, v)); err != nil {
					return err
				}
			}
		}
		if err := st.Close(); err != nil {
			return err
		}
		_, err = st.Recv()
		return endOfStream(err)
	}
	m["types-unary"] = func(ctx context.Context, e *env) error {
		c := e.client()
		for range e.n {
			for name, v := range everything() {
				got, err := c.UnaryTypes(ctx, v)
				if err := all(err, equal(name, got, v)); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// settled takes a value twice through Kitex's own codec, which makes empty containers and structs of absent ones.
func settled(v *interop.Everything) (*interop.Everything, error) {
	for range 2 {
		next := interop.NewEverything()
		if err := thrift.FastUnmarshal(thrift.FastMarshal(v), next); err != nil {
			return nil, err
		}
		v = next
	}
	return v, nil
}

// equal compares what came back with what was sent.
func equal(name string, got, sent *interop.Everything) error {
	want, err := settled(sent)
	if err != nil {
		return err
	}
	if got, err = settled(got); err != nil {
		return err
	}
	if reflect.DeepEqual(got, want) {
		return nil
	}
	g, w := reflect.ValueOf(*got), reflect.ValueOf(*want)
	for i := range g.NumField() {
		if !reflect.DeepEqual(g.Field(i).Interface(), w.Field(i).Interface()) {
			return fmt.Errorf("%s: %s is %v, expected %v", name, g.Type().Field(i).Name, g.Field(i).Interface(), w.Field(i).Interface())
		}
	}
	return fmt.Errorf("%s differs", name)
}

func ptr[T any](v T) *T { return &v }

func needed() *interop.Needed {
	return &interop.Needed{Flag: true, Number: -1, Text: "needed", Point: &interop.Point{X: 1, Y: 2}, Numbers: []int32{1}, Color: interop.Color_BLUE}
}

func everything() map[string]*interop.Everything {
	zero := interop.NewEverything()
	zero.Choice = &interop.Choice{Number: ptr(int32(0))}
	zero.Needed = &interop.Needed{Point: &interop.Point{}}
	zero.Defaults = interop.NewDefaults()

	low := interop.NewEverything()
	low.Choice = &interop.Choice{Flag: ptr(false)}
	low.Needed, low.Defaults = needed(), interop.NewDefaults()
	low.Tiny, low.Small, low.Number, low.Big = math.MinInt8, math.MinInt16, math.MinInt32, math.MinInt64
	low.Ratio, low.Color, low.At = -math.MaxFloat64, interop.Color_NEGATIVE, math.MinInt64
	low.Ratios = []float64{math.Inf(1), math.Inf(-1), math.SmallestNonzeroFloat64, math.Copysign(0, -1), 0.1}
	low.Bigs = []int64{math.MinInt64, -1, 0, 1, 1<<53 + 1, math.MaxInt64}
	low.Colors = []interop.Color{interop.Color_RED, interop.Color(77), interop.Color(-77)}
	low.Beyond, low.Last = math.MinInt64, math.MinInt32

	full := &interop.Everything{
		Flag: true, Tiny: math.MaxInt8, Small: math.MaxInt16, Number: math.MaxInt32, Big: math.MaxInt64, Ratio: math.Pi,
		Text: "text 错误 \u0000 🜂", Bytes: []byte{0, 1, 0xfe, 0xff}, Color: interop.Color_GREEN, At: 1_700_000_000_000_000_000, Name: "name",
		Point: &interop.Point{X: 1, Y: -1}, Numbers: []int32{1, 2, 3}, Names: []string{"a", "b"}, Sizes: map[string]int64{"a": 1, "b": math.MaxInt64},
		Path:   interop.Path{{X: 1}, {Y: 2}},
		Tree:   &interop.Node{Value: 1, Next: &interop.Node{Value: 2, Children: []*interop.Node{}}, Children: []*interop.Node{{Value: 3}, {Value: 4, Next: &interop.Node{Value: 5}}}},
		Choice: &interop.Choice{Point: &interop.Point{X: 3, Y: 4}}, Needed: needed(), Nothing: &interop.Nothing{},
		Defaults: &interop.Defaults{Plain: 0, Maybe: 8, Needed: 0, Text: "", MaybeText: "other", Yes: false, MaybeYes: false, Ratio: 2.5, Color: interop.Color_RED, Numbers: []int32{}, MaybeNumbers: []int32{9}},

		MaybeFlag: ptr(false), MaybeTiny: ptr(int8(0)), MaybeSmall: ptr(int16(0)), MaybeNumber: ptr(int32(0)), MaybeBig: ptr(int64(0)), MaybeRatio: ptr(0.0),
		MaybeText: ptr(""), MaybeBytes: []byte{}, MaybeColor: ptr(interop.Color_RED), MaybePoint: &interop.Point{}, MaybeNumbers: []int32{},
		MaybeNames: []string{}, MaybeSizes: map[string]int64{}, MaybeChoice: &interop.Choice{Text: ptr("")},

		Flags: []bool{true, false, true}, Tinies: []int8{-128, 127}, Smalls: []int16{-1, 1}, Bigs: []int64{-1, 1}, Ratios: []float64{-0.5, 0.5},
		Texts: []string{"", "x"}, Blobs: [][]byte{{}, {1}, make([]byte, 5000)}, Colors: []interop.Color{interop.Color_BLUE}, Matrix: [][]int32{{}, {1}, {2, 3}},
		Tables: []map[string]int32{{}, {"a": 1}}, Ids: []int32{3, 1, 2}, BigIds: []int64{1 << 60, 1}, ByNumber: map[int32]string{-1: "a", 1: "b"},
		ByBig: map[int64]string{1 << 60: "a"}, ByColor: map[interop.Color]string{interop.Color_GREEN: "g"}, Points: map[string]*interop.Point{"p": {X: 1}},
		Lists: map[string][]int32{"e": {}, "l": {1}}, Nested: map[string]map[string]int64{"o": {"i": 1}, "e": {}}, ByFlag: map[bool]string{true: "t", false: "f"},
		Choices: []*interop.Choice{{Number: ptr(int32(1))}, {Words: []string{"w"}}, {Flag: ptr(true)}},
		Edge:    "edge", Beyond: 256, Last: 32767,
	}
	return map[string]*interop.Everything{"zero": zero, "low": low, "full": full}
}
