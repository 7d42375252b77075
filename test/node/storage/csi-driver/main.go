// A CSI driver for tests: volumes and snapshots are btrfs subvolumes of one folder, and faults are ordered by a file.
package main

import (
	"flag"
	"log"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

type driver struct {
	csi.UnimplementedIdentityServer
	csi.UnimplementedControllerServer
	csi.UnimplementedGroupControllerServer
	csi.UnimplementedNodeServer
	name      string
	node      string
	snapshots bool
	groups    bool
	// Where the processes of pods are frozen, one control file for each; see freeze.
	freezer string
	store   *store
	faults  *faults
}

func main() {
	d := &driver{}
	flag.StringVar(&d.name, "name", "", "name of the driver")
	flag.StringVar(&d.node, "node", "", "name of the node")
	flag.BoolVar(&d.snapshots, "snapshots", true, "whether it can make snapshots")
	flag.BoolVar(&d.groups, "groups", true, "whether it can cut several snapshots at one instant")
	flag.StringVar(&d.freezer, "freezer", "", "control group whose processes stand still while a group is cut")
	folder := flag.String("folder", "", "folder on btrfs that holds everything")
	plugins := flag.String("plugins", "/var/lib/kubelet", "root folder of the kubelet")
	orders := flag.String("faults", "", "file with the faults to make")
	kubeconfig := flag.String("kubeconfig", "", "cluster whose claims may grow")
	flag.Parse()
	d.faults = &faults{file: *orders, seen: map[string]int{}}
	opened, err := openStore(*folder)
	if err != nil {
		log.Fatal(err)
	}
	d.store = opened
	// Of a run before this that was killed while it cut a group.
	d.thaw()

	endpoint := filepath.Join(*plugins, "plugins", d.name, "csi.sock")
	register := filepath.Join(*plugins, "plugins_registry", d.name+".sock")
	server := grpc.NewServer(grpc.UnaryInterceptor(logged))
	csi.RegisterIdentityServer(server, d)
	csi.RegisterControllerServer(server, d)
	csi.RegisterGroupControllerServer(server, d)
	csi.RegisterNodeServer(server, d)
	go serve(server, endpoint)
	registry := grpc.NewServer()
	registration.RegisterRegistrationServer(registry, &registrar{name: d.name, endpoint: endpoint})
	go serve(registry, register)

	if *kubeconfig != "" {
		go d.expandForever(*kubeconfig)
	}

	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	<-ended
	os.Remove(register)
	server.Stop()
}

func serve(server *grpc.Server, path string) {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		log.Fatal(err)
	}
	os.Remove(path)
	listener, err := net.Listen("unix", path)
	if err != nil {
		log.Fatal(err)
	}
	if err := server.Serve(listener); err != nil {
		log.Fatal(err)
	}
}
