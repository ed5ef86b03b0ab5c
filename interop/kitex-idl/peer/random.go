package main

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"

	"github.com/cloudwego/gopkg/protocol/thrift"
)

// deepest is how far structs nest; below, pointers are nil.
const deepest = 4

var texts = []string{"", "a", "héllo", "中文", "emoji 😀", "line\nquote\"\x00", strings.Repeat("long ", 60)}

var numbers = []int64{
	0, 1, -1, 42, math.MaxInt8, math.MinInt8, math.MaxInt16, math.MinInt16, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64,
}

// Only numbers that are unlike each other as members of a set in every language; no NaN, whose bits JavaScript does not keep.
var doubles = []float64{0, 1.5, -2.25, math.Pi, math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(1), math.Inf(-1)}

type filler struct{ *rand.Rand }

func (r filler) one(of ...int64) int64 { return of[r.IntN(len(of))] }

// fill sets every part of a value at random. Lists hold no value twice, for some of them are sets.
func (r filler) fill(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 1)
	case reflect.Int8, reflect.Int16, reflect.Int32:
		v.SetInt(r.one(numbers...) >> (64 - v.Type().Bits()) << r.IntN(2) >> r.IntN(2))
	case reflect.Int64:
		v.SetInt(r.one(numbers...))
		if v.Type().Name() != "int64" {
			// an enum, which is 32 bits wide on the wire
			v.SetInt(int64(int32(v.Int())))
		}
	case reflect.Float64:
		v.SetFloat(doubles[r.IntN(len(doubles))])
	case reflect.String:
		v.SetString(texts[r.IntN(len(texts))])
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		if m, ok := v.Interface().(message); ok {
			m.InitDefault()
		}
		r.fill(v.Elem(), depth)
	case reflect.Slice:
		r.fillSlice(v, depth)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range r.IntN(4) {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			r.fill(key, depth)
			r.fill(value, depth)
			v.SetMapIndex(key, value)
		}
	case reflect.Struct:
		r.fillStruct(v, depth+1)
	default:
		panic(fmt.Sprint("no random ", v.Type()))
	}
}

func (r filler) fillSlice(v reflect.Value, depth int) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		bytes := make([]byte, r.IntN(40))
		for i := range bytes {
			bytes[i] = byte(r.IntN(256))
		}
		v.SetBytes(bytes)
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, 3))
	seen := map[string]bool{}
	for range r.IntN(4) {
		item := reflect.New(v.Type().Elem()).Elem()
		r.fill(item, depth)
		if text := fmt.Sprintf("%#v", item); item.Kind() == reflect.Pointer || !seen[text] {
			seen[text] = true
			v.Set(reflect.Append(v, item))
		}
	}
}

// fillStruct fills a new struct. A union gets one member, another at times not those that can be absent, and no containers or optional
// structs when it is deep.
func (r filler) fillStruct(v reflect.Value, depth int) {
	if v.Addr().MethodByName("CountSetFields" + v.Type().Name()).IsValid() {
		r.fill(v.Field(r.IntN(v.NumField())), depth)
		return
	}
	for i := range v.NumField() {
		if canBeNil(v.Type().Field(i), v.Field(i)) && (r.IntN(3) == 0 || depth > deepest) {
			continue
		}
		r.fill(v.Field(i), depth)
	}
}

// canBeNil says whether a nil reads back as it was: the nil of a member with a default would become the default, and that of a struct that
// is not optional a struct without members.
func canBeNil(field reflect.StructField, initial reflect.Value) bool {
	switch field.Type.Kind() {
	case reflect.Pointer:
		return strings.Contains(field.Tag.Get("thrift"), ",optional")
	case reflect.Slice, reflect.Map:
		return initial.IsNil()
	}
	return false
}

func randomMessages(name string, seed uint64, count int) ([]string, error) {
	r := filler{rand.New(rand.NewPCG(seed, 0))}
	out := []string{}
	for range count {
		m, err := create(name)
		if err != nil {
			return nil, err
		}
		r.fill(reflect.ValueOf(m).Elem(), 0)
		out = append(out, hex.EncodeToString(thrift.FastMarshal(m)))
	}
	return out, nil
}
