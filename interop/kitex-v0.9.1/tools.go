//go:build tools

package old

import (
	_ "github.com/cloudwego/kitex/tool/cmd/kitex"
	_ "github.com/cloudwego/thriftgo"
)
