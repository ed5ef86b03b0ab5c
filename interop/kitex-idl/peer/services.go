package main

import (
	"context"

	"github.com/cloudwego/kitex/pkg/serviceinfo"
	"millrace.dev/interop/idl/kitex_gen/a/b/baseservice"
	"millrace.dev/interop/idl/kitex_gen/echo/testservice"
	"millrace.dev/interop/idl/kitex_gen/millrace/dotted/user_api/auditservice"
	"millrace.dev/interop/idl/kitex_gen/millrace/dotted/user_api/userservice"
)

type method struct {
	Mode   string `json:"mode"`
	Oneway bool   `json:"oneway"`
}

type service struct {
	Name    string            `json:"name"`
	Package string            `json:"package"`
	Methods map[string]method `json:"methods"`
}

var modes = map[serviceinfo.StreamingMode]string{
	serviceinfo.StreamingNone:          "none",
	serviceinfo.StreamingUnary:         "unary",
	serviceinfo.StreamingClient:        "client",
	serviceinfo.StreamingServer:        "server",
	serviceinfo.StreamingBidirectional: "bidirectional",
}

func services() []service {
	out := []service{}
	for _, info := range []*serviceinfo.ServiceInfo{
		testservice.NewServiceInfo(),
		baseservice.NewServiceInfo(),
		userservice.NewServiceInfo(),
		auditservice.NewServiceInfo(),
	} {
		methods := map[string]method{}
		for name := range info.Methods {
			m := info.MethodInfo(context.Background(), name)
			methods[name] = method{modes[m.StreamingMode()], m.OneWay()}
		}
		out = append(out, service{info.ServiceName, info.GetPackageName(), methods})
	}
	return out
}
