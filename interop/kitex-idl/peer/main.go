// Command peer is Kitex's side of the tests of generated code: it reads one command a line on standard input, as JSON, and answers each
// with one line.
//
//	{"command": "types"}                                     the names of the types it knows
//	{"command": "random", "type": T, "seed": 1, "count": 9}  messages with random members, in hex
//	{"command": "recode", "type": T, "messages": [hex]}      each message read and written again, in hex
//	{"command": "services"}                                  what Kitex knows of each service
//	{"command": "call", "address": HOST:PORT}                calls a server of user.api.thrift and checks every answer
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/cloudwego/kitex/pkg/klog"
)

type command struct {
	Command  string   `json:"command"`
	Type     string   `json:"type"`
	Seed     uint64   `json:"seed"`
	Count    int      `json:"count"`
	Messages []string `json:"messages"`
	Address  string   `json:"address"`
}

type answer struct {
	Result any    `json:"result"`
	Error  string `json:"error,omitempty"`
}

func run(c command) (any, error) {
	switch c.Command {
	case "types":
		return names(), nil
	case "random":
		return randomMessages(c.Type, c.Seed, c.Count)
	case "recode":
		return recode(c.Type, c.Messages)
	case "services":
		return services(), nil
	case "call":
		return nil, call(c.Address)
	}
	return nil, fmt.Errorf("no command %q", c.Command)
}

func respond(line []byte) (a answer) {
	defer func() {
		if cause := recover(); cause != nil {
			a = answer{Error: fmt.Sprint("panic: ", cause)}
		}
	}()
	var c command
	if err := json.Unmarshal(line, &c); err != nil {
		return answer{Error: err.Error()}
	}
	result, err := run(c)
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Result: result}
}

func main() {
	klog.SetLevel(klog.LevelFatal)
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		if err := out.Encode(respond(in.Bytes())); err != nil {
			os.Exit(1)
		}
	}
}
