package peer

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	kitexregistry "github.com/cloudwego/kitex/pkg/registry"
	"github.com/cloudwego/kitex/server"
	etcd "github.com/kitex-contrib/registry-etcd"
)

// Registration says where a server registers, and as what.
type Registration struct {
	// Etcd is HOST:PORT of an etcd; empty is nowhere.
	Etcd string
	// Service is the name that clients look for.
	Service string
	Weight  int
	// Tags are `key=value`, with commas between them.
	Tags string
	// Lease is how many seconds it stays there after a crash.
	Lease int
}

func (r Registration) tags() (map[string]string, error) {
	if r.Tags == "" {
		return nil, nil
	}
	tags := map[string]string{}
	for tag := range strings.SplitSeq(r.Tags, ",") {
		key, value, ok := strings.Cut(tag, "=")
		if !ok {
			return nil, fmt.Errorf("not a tag: %q", tag)
		}
		tags[key] = value
	}
	return tags, nil
}

func (r Registration) options() ([]server.Option, error) {
	if r.Etcd == "" {
		return nil, nil
	}
	tags, err := r.tags()
	if err != nil {
		return nil, err
	}
	if err := os.Setenv("KITEX_ETCD_REGISTRY_LEASE_TTL", strconv.Itoa(r.Lease)); err != nil {
		return nil, err
	}
	registering, err := etcd.NewEtcdRegistry([]string{r.Etcd})
	if err != nil {
		return nil, err
	}
	return []server.Option{
		server.WithRegistry(registering),
		server.WithRegistryInfo(&kitexregistry.Info{ServiceName: r.Service, Weight: r.Weight, Tags: tags}),
	}, nil
}
