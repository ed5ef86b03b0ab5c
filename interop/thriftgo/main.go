// Command oracle says what thriftgo thinks of IDL texts.
//
// It reads one JSON object a line, {"main": path, "files": {path: text}}, and answers each with a line {"stage", "message"}.
// The stages are in the order in which thriftgo looks: "syntax" and "include" (reading the file and what it includes), "cycle",
// "check", "resolve", "streaming"; "ok" when nothing is wrong, with the warnings as its message, and "panic" where thriftgo itself breaks.
//
// thriftgo looks at streaming.mode only while it generates, and stops there; here its own function for that is called on every
// function of every file, as Kitex's tool does, for it generates with streaming on and all included files.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/cloudwego/thriftgo/generator/golang/streaming"
	"github.com/cloudwego/thriftgo/parser"
	"github.com/cloudwego/thriftgo/semantic"
)

type question struct {
	Main  string            `json:"main"`
	Files map[string]string `json:"files"`
}

type verdict struct {
	Stage   string `json:"stage"`
	Message string `json:"message"`
}

func read(q question) (*parser.Thrift, *verdict) {
	ast, err := parser.ParseBatchString(q.Main, q.Files, nil)
	var missing *os.PathError
	if errors.As(err, &missing) {
		return nil, &verdict{"include", err.Error()}
	}
	if err != nil {
		// the first line of the text names the file
		inner := errors.Unwrap(err)
		if inner == nil {
			inner = err
		}
		return nil, &verdict{"syntax", strings.TrimSpace(inner.Error())}
	}
	return ast, nil
}

func checkStreaming(ast *parser.Thrift) error {
	for file := range ast.DepthFirstSearch() {
		for _, service := range file.Services {
			for _, function := range service.Functions {
				if _, err := streaming.ParseStreaming(function); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func judge(q question) (result verdict) {
	defer func() {
		if cause := recover(); cause != nil {
			result = verdict{"panic", fmt.Sprint(cause)}
		}
	}()
	ast, failed := read(q)
	if failed != nil {
		return *failed
	}
	if circle := parser.CircleDetect(ast); circle != "" {
		return verdict{"cycle", circle}
	}
	warnings, err := semantic.NewChecker(semantic.Options{FixWarnings: true}).CheckAll(ast)
	if err != nil {
		return verdict{"check", strings.TrimSpace(err.Error())}
	}
	if err := semantic.ResolveSymbols(ast); err != nil {
		return verdict{"resolve", err.Error()}
	}
	if err := checkStreaming(ast); err != nil {
		return verdict{"streaming", err.Error()}
	}
	return verdict{"ok", strings.Join(warnings, "; ")}
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for in.Scan() {
		var q question
		if err := json.Unmarshal(in.Bytes(), &q); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if err := encoder.Encode(judge(q)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	if err := in.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
