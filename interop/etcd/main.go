// Command etcd is the etcd of the interoperability suite: one member on 127.0.0.1. It prints `listening on HOST:PORT` when it is ready, and
// ends with its input. One that is killed starts again, at the same address and with what it knew, by both flags.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/url"
	"os"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

func local(host string) []url.URL { return []url.URL{{Scheme: "http", Host: host}} }

// start starts a member that is ready for clients.
func start(folder, address string) (*embed.Etcd, error) {
	config := embed.NewConfig()
	config.Dir = folder
	config.ListenClientUrls, config.AdvertiseClientUrls = local(address), local(address)
	config.ListenPeerUrls, config.AdvertisePeerUrls = local("127.0.0.1:0"), local("127.0.0.1:0")
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	// a member that is alone need not wait for others, and a test not for the disk
	config.TickMs, config.ElectionMs = 10, 100
	config.UnsafeNoFsync = true
	config.LogLevel = "fatal"
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return nil, err
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return etcd, nil
	case <-time.After(20 * time.Second):
		etcd.Close()
		return nil, fmt.Errorf("not ready after 20 seconds")
	}
}

// freeAddress was free a moment ago: etcd calls itself by the port that it was told, so it cannot be told 0.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

func run() error {
	folder := flag.String("folder", "", "where it stores what it knows; a temporary one that it removes at its end unless it is told")
	address := flag.String("address", "", "HOST:PORT for clients; any port of 127.0.0.1 unless it is told")
	flag.Parse()
	if *folder == "" {
		made, err := os.MkdirTemp("", "millrace-etcd-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(made)
		*folder = made
	}
	if *address == "" {
		free, err := freeAddress()
		if err != nil {
			return err
		}
		*address = free
	}
	etcd, err := start(*folder, *address)
	if err != nil {
		return err
	}
	defer etcd.Close()
	fmt.Println("listening on", *address)
	io.Copy(io.Discard, os.Stdin)
	return nil
}

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}
