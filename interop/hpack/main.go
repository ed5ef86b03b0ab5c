// Command hpack is golang.org/x/net/http2/hpack on stdin and stdout, for comparison with our own encoder and decoder.
//
// A line of input is a step of one connection, or the start of another one:
//
//	{"reset":true}
//	{"encode":["name","value",…],"sizes":[100,4096]}   sizes: what the peer's SETTINGS set before this block
//	{"decode":"<hex>","limits":[100,4096]}            limits: what our SETTINGS set before this block, once acknowledged
//
// Each step is answered by a line: {"block":"<hex>"}, {"headers":[…],"never":[…]} (never: names of the never-indexed fields) or
// {"error":"…"}. Strings are latin1: each character is one byte of a header.
package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/net/http2/hpack"
)

type step struct {
	Reset  bool     `json:"reset"`
	Encode []string `json:"encode"`
	Sizes  []uint32 `json:"sizes"`
	Decode *string  `json:"decode"`
	Limits []uint32 `json:"limits"`
}

type answer struct {
	Block   *string  `json:"block,omitempty"`
	Headers []string `json:"headers"`
	Never   []string `json:"never"`
	Error   string   `json:"error,omitempty"`
}

func toBytes(latin1 string) string {
	out := make([]byte, 0, len(latin1))
	for _, char := range latin1 {
		out = append(out, byte(char))
	}
	return string(out)
}

func toLatin1(octets string) string {
	out := make([]rune, 0, len(octets))
	for i := 0; i < len(octets); i++ {
		out = append(out, rune(octets[i]))
	}
	return string(out)
}

type connection struct {
	block   bytes.Buffer
	encoder *hpack.Encoder
	decoder *hpack.Decoder
}

func newConnection() *connection {
	c := &connection{}
	c.encoder = hpack.NewEncoder(&c.block)
	c.decoder = hpack.NewDecoder(4096, nil)
	return c
}

func (c *connection) encode(headers []string, sizes []uint32) (answer, error) {
	for _, size := range sizes {
		c.encoder.SetMaxDynamicTableSize(size)
	}
	c.block.Reset()
	for i := 0; i < len(headers); i += 2 {
		name := toBytes(headers[i])
		field := hpack.HeaderField{Name: name, Value: toBytes(headers[i+1]), Sensitive: name == "authorization"}
		if err := c.encoder.WriteField(field); err != nil {
			return answer{}, err
		}
	}
	block := hex.EncodeToString(c.block.Bytes())
	return answer{Block: &block}, nil
}

func (c *connection) decode(text string, limits []uint32) (answer, error) {
	for _, limit := range limits {
		c.decoder.SetAllowedMaxDynamicTableSize(limit)
	}
	block, err := hex.DecodeString(text)
	if err != nil {
		return answer{}, err
	}
	fields, err := c.decoder.DecodeFull(block)
	if err != nil {
		return answer{}, err
	}
	out := answer{Headers: []string{}, Never: []string{}}
	for _, field := range fields {
		out.Headers = append(out.Headers, toLatin1(field.Name), toLatin1(field.Value))
		if field.Sensitive {
			out.Never = append(out.Never, toLatin1(field.Name))
		}
	}
	return out, nil
}

func run() error {
	in := bufio.NewReaderSize(os.Stdin, 1<<16)
	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	steps := json.NewDecoder(in)
	answers := json.NewEncoder(out)
	answers.SetEscapeHTML(false)
	c := newConnection()
	for steps.More() {
		var s step
		if err := steps.Decode(&s); err != nil {
			return err
		}
		var a answer
		var err error
		switch {
		case s.Reset:
			c = newConnection()
			continue
		case s.Decode != nil:
			a, err = c.decode(*s.Decode, s.Limits)
		default:
			a, err = c.encode(s.Encode, s.Sizes)
		}
		if err != nil {
			a = answer{Error: err.Error()}
		}
		if err := answers.Encode(a); err != nil {
			return err
		}
	}
	return out.Flush()
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
